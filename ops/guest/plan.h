/* SPDX-License-Identifier: Apache-2.0
 *
 * What an evaluation does, as the host tells a restored guest in one line:
 *
 *     E WARMING MEASURED [NAME=NUMBER]...
 *
 * The calls before the first measured one, the calls that are measured, and then, each where it applies,
 *
 *     stress=BYTES   before each measured call a program of this footprint has run on the function's core
 *     others=1       before each measured call the workloads beside the function have been called
 *     every=NS       measured calls begin at this distance
 *     mean=NS        ..., at distances that are distributed exponentially around this one, by
 *     seed=N         ..., this number
 *     cold=1         before each measured call the function's container is removed, and the call starts it
 *
 * in nanoseconds of simulated time. Only invokers use this.
 */
#ifndef USWEEP_PLAN_H
#define USWEEP_PLAN_H

#include <stdint.h>

struct plan {
    int warming, measured;
    uint64_t stress, others, every, mean, seed, cold;
};

/* Reads such a line, which is changed by that; the program ends (give_up) if it is not one. */
void read_plan(char *text, struct plan *plan);

/* Defined by the program. */
void give_up(const char *what) __attribute__((noreturn));

#endif
