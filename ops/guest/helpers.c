/* SPDX-License-Identifier: Apache-2.0 */
#include "helpers.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

enum { FAILED = '!' };

static int open_pipe(const struct helper *helper, const char *ending, int flags)
{
    char path[96];
    snprintf(path, sizeof path, "%s.%s", helper->name, ending);
    int file = open(path, flags | O_CLOEXEC);
    if (file < 0)
        give_up(path);
    return file;
}

void helper_open(struct helper *helper, const char *name)
{
    snprintf(helper->name, sizeof helper->name, "%s", name);
    helper->orders = open_pipe(helper, "orders", O_RDWR);
    helper->done = open_pipe(helper, "done", O_RDWR | O_NONBLOCK);
}

void helper_order(const struct helper *helper, const char *order)
{
    if (write(helper->orders, order, strlen(order)) < 0)
        give_up(helper->name);
}

static void say_problem(const struct helper *helper)
{
    char text[PROBLEM_MOST];
    ssize_t length = read(open_pipe(helper, "problem", O_RDONLY), text, sizeof text);
    if (length <= 0 || write(STDERR_FILENO, text, length) != length)
        give_up(helper->name);
    exit(1);
}

void helper_await(const struct helper *helper)
{
    char byte;
    while (read(helper->done, &byte, 1) != 1) {
        sched_yield();
        wait_awake();
    }
    if (byte == FAILED)
        say_problem(helper);
}
