/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives a function in the guest of the engine gem5: one call at a time, every answer checked.
 *
 *     invoker CALLS WARM [ADDRESS]
 *
 * The function is on this machine or on that with the address, at port USWEEP_PORT (50051 if that is not set).
 * It warms the function by WARM calls, marks that (a checkpoint may be taken there), and then makes marked
 * invocations without end: one checkpoint serves any number of them. The invocation with the number i, from 0 on,
 * is the work item 100 + i. What happens between them is in the script that gem5 gives a restored guest, on a line that
 * begins with PLAN (plan.h): of its numbers of calls the first says from which invocation on it happens. Where nothing
 * is simulated, USWEEP_CONSOLE says how many invocations are made and shown, and USWEEP_PLAN is that line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../calls.h"
#include "../plan.h"
#include "../stress.h"
#include "m5ops.h"

#define PLAN "# usweep-plan "

enum { FIRST_ITEM = 100, SCRIPT_MOST = 8192, PAUSE_NS = 200000 };

static void end(enum m5_mark mark)
{
    fflush(stdout);
    m5_call(M5_FAIL, 0, mark, 0);
    exit(1);
}

void give_up(const char *what)
{
    printf("usweep: the function is lost: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    end(MARK_FUNCTION_LOST);
    abort();
}

static void check(const struct call *call)
{
    char problem[PROBLEM_MOST];
    enum verdict verdict = check_answer(call, problem);
    if (verdict == VERDICT_RIGHT)
        return;
    printf("usweep: %s: %s\n", verdict == VERDICT_WRONG ? "wrong answer" : "failing status", problem);
    end(MARK_WRONG_ANSWER);
}

/* For whoever watches the console. */
static void show(const struct call *call)
{
    char name[PROBLEM_MOST], text[PROBLEM_MOST];
    describe_call(call, name);
    describe_answer(call, text);
    printf("usweep: %s is %s\n", name, text);
}

/* Asleep, so that the simulator has little to do. */
static void pause_ns(long length)
{
    struct timespec time = {0, length};
    nanosleep(&time, NULL);
}

void yield_to_function(int times)
{
    pause_ns(times * PAUSE_NS);
}

/* The script is read once more: a restored machine has that of its evaluation. */
static void find_plan(struct plan *plan)
{
    static char script[SCRIPT_MOST + 1];
    char *line = getenv("USWEEP_PLAN");
    memset(script, 1, SCRIPT_MOST); /* gem5 writes to pages that are there, no others */
    unsigned long length = m5_call(M5_READ_FILE, (unsigned long)script, SCRIPT_MOST, 0);
    script[length < SCRIPT_MOST ? length : SCRIPT_MOST] = 0;
    if (!line && (line = strstr(script, PLAN)))
        line += strlen(PLAN);
    if (!line)
        return;
    line[strcspn(line, "\n")] = 0;
    read_plan(line, plan);
    if (plan->others || plan->every || plan->mean || plan->cold)
        give_up("this guest cannot do what the plan says");
    if (plan->stress)
        stress_reserve(plan->stress);
}

/* Others run; then the function's core has time to fall asleep. */
static void let_others_run(void)
{
    m5_call(M5_FAIL, 0, MARK_OTHERS, 0);
    stress_run(0);
    pause_ns(PAUSE_NS);
}

/* Before a call, the function's core has time to finish what follows the answer before it, and to fall asleep. */
static void invoke(const struct call *call, unsigned long item, int is_after_others)
{
    pause_ns(PAUSE_NS);
    if (is_after_others)
        let_others_run();
    m5_call(M5_WORK_BEGIN, item, 0, 0);
    call_once(call);
    m5_call(M5_WORK_END, item, 0, 0);
    check(call);
    tidy_connection();
}

int main(int count, char **arguments)
{
    struct plan plan = {0};
    const char *shown = getenv("USWEEP_CONSOLE");
    unsigned long most = shown ? strtoul(shown, NULL, 10) : 0;
    if (count != 3 && count != 4)
        return 64;
    stress_start();
    m5_start();
    int port = port_of_workload();
    read_calls(arguments[1], port);
    open_connection(count == 4 ? arguments[3] : "127.0.0.1", port, START_S, CALL_S);
    m5_call(M5_FAIL, 0, MARK_WARMING, 0);
    for (long i = 0; i < atol(arguments[2]); i++) {
        const struct call *call = call_number(i);
        call_once(call);
        check(call);
        tidy_connection();
    }
    m5_call(M5_FAIL, 0, MARK_WARMED, 0);
    find_plan(&plan);
    for (unsigned long i = 0; !shown || i < most; i++) {
        const struct call *call = call_number(i);
        invoke(call, FIRST_ITEM + i, plan.stress && i >= (unsigned long)plan.warming);
        if (shown)
            show(call);
    }
    return 0;
}
