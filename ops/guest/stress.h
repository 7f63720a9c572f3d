/* SPDX-License-Identifier: Apache-2.0
 *
 * A program beside the function, on its core, that uses caches, translation buffers and predictors between invocations.
 * Only the invoker uses this.
 */
#ifndef USWEEP_STRESS_H
#define USWEEP_STRESS_H

#include <stddef.h>
#include <stdint.h>

/* Starts it; it sleeps. To be called first: what is in memory by then is shared with it. */
void stress_start(void);

/* So many bytes are its footprint from now on: half of them code (at most 1 MiB), the others data. */
void stress_reserve(size_t bytes);

/* It goes over its whole footprint once, and then again and again up to this time (of the cycle counter). */
void stress_run(uint64_t until);

/* Defined by the program. */
void give_up(const char *what) __attribute__((noreturn));
void yield_to_function(int times);

#endif
