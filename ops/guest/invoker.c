/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives a function in the guest of the engine qemu: one call at a time, every answer checked.
 *
 *     invoker CALLS WARM EVENTS
 *     invoker plan LETTER      waits for a plan that begins with this letter, and prints it
 *
 * The calls in the file CALLS are made over and over, in turn or by a seed, at port USWEEP_PORT (50051 if that is not set).
 * What goes wrong it says in one line on its standard error, and ends: a word for its kind (failed, late, wrong, status),
 * then a sentence.
 *
 * It warms the function by WARM calls and says so on EVENTS. Then it looks again and again whether the machine's
 * firmware carries a plan (item opt/usweep/plan): it does once the machine has been restored. From there on nothing is
 * written until the last measured call has ended. The plan is 128 characters (plan.h). There is one call at a time:
 * what is due while another is under way begins once that has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>
#include <x86intrin.h>

#include "calls.h"
#include "helpers.h"
#include "marks.h"
#include "plan.h"
#include "stress.h"

enum { SETTLE_PAUSES = 2000 }; /* lets the function finish what it does after an answer */
enum { PLAN_LENGTH = 128, OTHERS_MOST = 8 };

static int events;
static const char *phase; /* of which a call is; NULL: there are no calls */
static int number;

static void say(int target, const char *format, ...)
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
        ssize_t n = write(target, line + sent, length - sent);
        if (n <= 0)
            exit(2);
        sent += n;
    }
}

void give_up(const char *what)
{
    const char *reason = errno ? strerror(errno) : "", *colon = errno ? ": " : "";
    if (!strncmp(what, "timeout", 7))
        say(STDERR_FILENO, "late %s call %d: %s", phase, number, what);
    else if (phase)
        say(STDERR_FILENO, "failed %s call %d: %s%s%s", phase, number, what, colon, reason);
    else
        say(STDERR_FILENO, "failed %s%s%s", what, colon, reason);
    exit(1);
}

/*
 * Waits without sleeping. A restored machine counts instructions; when all its cores sleep, QEMU moves the
 * clock from another thread, and what follows may not be the same in every run. PAUSE makes QEMU turn to the
 * other core at once, so waiting costs little. (While a call is under way, the function's core is awake.)
 */
void yield_to_function(int times)
{
    while (times--)
        __builtin_ia32_pause();
}

/* The cycle counter of a restored machine counts the nanoseconds of its time: one for each instruction of any core. */
static void wait_until(uint64_t time)
{
    while (__rdtsc() < time)
        wait_awake();
}

/* Says which it is: a wrong answer, or a failing status. */
static void check(const struct call *call)
{
    char problem[PROBLEM_MOST];
    enum verdict verdict = check_answer(call, problem);
    if (verdict == VERDICT_RIGHT)
        return;
    say(STDERR_FILENO, "%s %s call %d: %s", verdict == VERDICT_WRONG ? "wrong" : "status", phase, number, problem);
    exit(1);
}

static void warm(int count, const char *name)
{
    phase = name;
    for (number = 0; number < count; number++) {
        const struct call *call = call_number(number);
        MARK(MARK_WARMING_BEGIN);
        call_once(call);
        MARK(MARK_WARMING_END);
        check(call);
        tidy_connection();
    }
}

/* The guest's init carries out orders about the function's container (usweep-containers). */
static struct helper containers;

static void remove_function(void)
{
    helper_order(&containers, "stop\n");
    helper_await(&containers);
}

static void start_function(void)
{
    helper_order(&containers, "start\n");
    open_again_awake();
}

/* Workloads beside the function, each with a program that calls it. */
static struct helper others[OTHERS_MOST];
static int other_count;

static void open_others(void)
{
    char name[32];
    for (; other_count < OTHERS_MOST; other_count++) {
        snprintf(name, sizeof name, "/run/beside%d.orders", other_count + 1);
        if (access(name, F_OK))
            break;
        *strrchr(name, '.') = 0;
        helper_open(&others[other_count], name);
        helper_await(&others[other_count]);
    }
    errno = 0;
}

static void call_others(uint64_t until)
{
    do
        for (int i = 0; i < other_count; i++) {
            helper_order(&others[i], ".");
            helper_await(&others[i]);
        }
    while (__rdtsc() < until);
}

/* From the beginning of one call to that of the next. */
static uint64_t distance(const struct plan *plan, int i)
{
    if (!plan->mean)
        return plan->every;
    double chance = ((random_number(plan->seed, i) >> 11) + 0.5) * 0x1p-53;
    return (uint64_t)(-log(chance) * plan->mean);
}

/* What happens between two calls: the function finishes, others run, time passes. */
static void pass_interval(const struct plan *plan, uint64_t due)
{
    yield_to_function(SETTLE_PAUSES);
    if (plan->others)
        call_others(due);
    if (plan->stress)
        stress_run(due);
    if (plan->others || plan->stress)
        yield_to_function(SETTLE_PAUSES);
    wait_until(due);
}

/* How many calls were due before the one before them had been answered. */
static int measure(const struct plan *plan)
{
    int late = 0;
    uint64_t due = __rdtsc();
    phase = "measured";
    for (number = 0; number < plan->measured; number++) {
        const struct call *call = call_number(number);
        due += distance(plan, number);
        late += number && __rdtsc() > due;
        if (plan->cold)
            remove_function();
        pass_interval(plan, due);
        MARK(MARK_INVOCATION_BEGIN);
        if (plan->cold)
            start_function();
        call_once(call);
        MARK(MARK_INVOCATION_END);
        check(call);
        if (plan->cold)
            helper_await(&containers);
        tidy_connection();
    }
    return late;
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

static void await_plan(char letter, char text[PLAN_LENGTH + 1])
{
    if (ioperm(0x510, 2, 1))
        give_up("ports");
    uint16_t key = find_plan();
    for (;; yield_to_function(1)) {
        read_item(key, (uint8_t *)text, 1);
        if (text[0] != letter)
            continue;
        read_item(key, (uint8_t *)text, PLAN_LENGTH);
        text[PLAN_LENGTH] = 0;
        return;
    }
}

int main(int count, char **arguments)
{
    struct plan plan = {0};
    char text[PLAN_LENGTH + 1];
    if (count == 3 && !strcmp(arguments[1], "plan")) {
        await_plan(*arguments[2], text);
        return puts(text) < 0;
    }
    if (count != 4 || (events = open(arguments[3], O_WRONLY | O_NOCTTY | O_CLOEXEC)) < 0)
        return 64;
    stress_start();
    int port = port_of_workload();
    read_calls(arguments[1], port);
    open_connection("127.0.0.1", port, START_S, CALL_S);
    open_others();
    say(events, "serving");
    warm(atoi(arguments[2]), "warming");
    say(events, "warmed");
    await_plan('E', text);
    read_plan(text, &plan);
    if (plan.cold)
        helper_open(&containers, "/run/function");
    if (plan.stress)
        stress_reserve(plan.stress);
    warm(plan.warming, "second warming");
    say(events, "measured %d", measure(&plan));
    for (;;)
        pause();
}
