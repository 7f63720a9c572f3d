/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives a function in the guest of the engine qemu: one call at a time, every answer checked.
 *
 *     invoker CALLS WARM EVENTS
 *
 * The calls in the file CALLS are made over and over, in turn or by a seed, at port USWEEP_PORT (50051 if that is not set).
 * It warms the function by WARM calls and says so on EVENTS. Then it looks again and again whether the machine's
 * firmware carries a plan (item opt/usweep/plan: "E warm measured"): it does once the machine has been
 * restored. From there on nothing is written until the last measured call has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

#include "calls.h"
#include "marks.h"

enum { SETTLE_PAUSES = 2000 }; /* lets the function finish what it does after an answer */

static int events;

static void say(const char *format, ...)
{
    char line[2 * PROBLEM_MOST];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    for (int sent = 0; sent < length;) {
        ssize_t n = write(events, line + sent, length - sent);
        if (n <= 0)
            exit(2);
        sent += n;
    }
}

void give_up(const char *what)
{
    say("failed %s%s%s", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

/*
 * Waits without sleeping. A restored machine counts instructions; when all its cores sleep, QEMU moves the
 * clock from another thread, and what follows may not be the same in every run. PAUSE makes QEMU turn to the
 * other core at once, so waiting costs little. (While a call is under way, the function's core is awake.)
 */
static void yield_to_function(int times)
{
    while (times--)
        __builtin_ia32_pause();
}

/* Says which it is: a wrong answer, or a call that failed. */
static void check(const struct call *call, const char *phase, int number)
{
    char problem[PROBLEM_MOST];
    enum verdict verdict = check_answer(call, problem);
    if (verdict == VERDICT_RIGHT)
        return;
    say("%s %s call %d: %s", verdict == VERDICT_WRONG ? "wrong" : "failed", phase, number, problem);
    exit(1);
}

static void warm(int count, const char *phase)
{
    for (int i = 0; i < count; i++) {
        const struct call *call = call_number(i);
        call_once(call);
        check(call, phase, i);
        tidy_connection();
    }
}

static void measure(int count)
{
    for (int i = 0; i < count; i++) {
        const struct call *call = call_number(i);
        yield_to_function(SETTLE_PAUSES);
        MARK(MARK_INVOCATION_BEGIN);
        call_once(call);
        MARK(MARK_INVOCATION_END);
        check(call, "measured", i);
        tidy_connection();
    }
}

/* QEMU's firmware configuration device: a selector at port 0x510, data byte by byte at 0x511. */

static void read_item(uint16_t key, uint8_t *bytes, size_t length)
{
    outw(key, 0x510);
    for (size_t i = 0; i < length; i++)
        bytes[i] = inb(0x511);
}

static uint16_t find_plan(void)
{
    uint8_t head[4], entry[64];
    read_item(0x19, head, sizeof head);
    uint32_t count = (uint32_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
    for (uint32_t i = 0; i < count && i < 256; i++) {
        for (size_t at = 0; at < sizeof entry; at++)
            entry[at] = inb(0x511);
        entry[63] = 0;
        if (!strcmp((const char *)entry + 8, "opt/usweep/plan"))
            return entry[4] << 8 | entry[5];
    }
    errno = ENOENT;
    give_up("firmware item opt/usweep/plan");
    return 0;
}

static void await_plan(int *warming, int *measured)
{
    uint8_t text[65] = {0};
    if (ioperm(0x510, 2, 1))
        give_up("ports");
    uint16_t key = find_plan();
    for (;; yield_to_function(1)) {
        read_item(key, text, 1);
        if (text[0] != 'E')
            continue;
        read_item(key, text, 64);
        if (sscanf((const char *)text, "E %d %d", warming, measured) == 2)
            return;
        give_up("the plan cannot be read");
    }
}

int main(int count, char **arguments)
{
    int warming = 0, measured = 0;
    if (count != 4 || (events = open(arguments[3], O_WRONLY | O_NOCTTY | O_CLOEXEC)) < 0)
        return 64;
    int port = port_of_workload();
    read_calls(arguments[1], port);
    open_connection("127.0.0.1", port, START_S, CALL_S);
    say("serving");
    warm(atoi(arguments[2]), "warming");
    say("warmed");
    await_plan(&warming, &measured);
    warm(warming, "second warming");
    measure(measured);
    say("measured");
    for (;;)
        pause();
}
