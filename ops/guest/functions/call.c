/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls a workload on this machine, without a simulator: every request of a file, so many times over.
 *
 *     call FILE ADDRESS PORT TIMES [PATIENCE]
 *
 * Each call may take PATIENCE seconds (20 if that is not given). It ends with 0 if every answer was right, with 3 after
 * a wrong one, 4 after a failing status, 5 after none in time, 1 if the connection or the file is no good.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../calls.h"

void give_up(const char *what)
{
    fprintf(stderr, "call: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(strncmp(what, "timeout", 7) ? 1 : 5);
}

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int count, char **arguments)
{
    char problem[PROBLEM_MOST];
    double spent = 0;
    if (count != 5 && count != 6)
        return 64;
    int port = atoi(arguments[3]), times = atoi(arguments[4]) > 0 ? atoi(arguments[4]) : 1;
    read_calls(arguments[1], port);
    open_connection(arguments[2], port, 30, count == 6 ? atoi(arguments[5]) : 20);
    for (int i = 0; i < times * call_count; i++) {
        const struct call *call = call_number(i);
        double start = now_us();
        call_once(call);
        spent += now_us() - start;
        enum verdict verdict = check_answer(call, problem);
        if (verdict != VERDICT_RIGHT) {
            fprintf(stderr, "call: request %d: %s\n", (int)(call - calls) + 1, problem);
            return verdict == VERDICT_WRONG ? 3 : 4;
        }
        tidy_connection();
    }
    printf("%d answers as expected, %.0f us each\n", times * call_count, spent / (times * call_count));
    return 0;
}
