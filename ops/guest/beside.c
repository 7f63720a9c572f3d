/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls a workload that runs beside the function, when the invoker says so.
 *
 *     beside CALLS WARM
 *
 * The workload is in this program's network, at port USWEEP_PORT. It is warmed by WARM calls; then each byte on
 * descriptor 3 is an order to make one more. Each order carried out, the warming among them, is a byte on descriptor 4;
 * "!" means that it was not, and standard error has a line that says why, as the invoker's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

enum { ORDERS = 3, DONE = 4 };

static unsigned long number;

static void say(char byte)
{
    if (write(DONE, &byte, 1) != 1)
        exit(2);
}

static void __attribute__((noreturn)) fail(const char *kind, const char *what, const char *reason)
{
    const char *name = getenv("USWEEP_BESIDE");
    fprintf(stderr, "%s the interleaved workload %s, call %lu: %s%s%s\n", kind, name ? name : "", number, what,
            *reason ? ": " : "", reason);
    say('!');
    for (;;) /* what a pipe holds is lost once nobody has it open */
        pause();
}

void give_up(const char *what)
{
    fail(strncmp(what, "timeout", 7) ? "failed" : "late", what, errno ? strerror(errno) : "");
}

static void make_call(void)
{
    char problem[PROBLEM_MOST];
    const struct call *call = call_number(number);
    call_once(call);
    enum verdict verdict = check_answer(call, problem);
    if (verdict != VERDICT_RIGHT)
        fail(verdict == VERDICT_WRONG ? "wrong" : "status", problem, "");
    tidy_connection();
    number++;
}

int main(int count, char **arguments)
{
    char order;
    if (count != 3)
        return 64;
    int port = port_of_workload();
    read_calls(arguments[1], port);
    open_connection("127.0.0.1", port, START_S, CALL_S);
    for (long i = atol(arguments[2]); i > 0; i--)
        make_call();
    say('.');
    while (read(ORDERS, &order, 1) == 1) {
        make_call();
        say('.');
    }
    return 0;
}
