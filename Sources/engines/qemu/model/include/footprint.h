/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_FOOTPRINT_H
#define USWEEP_FOOTPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers that are used in turns: how many different ones in this turn, in the one before, and in both. By each number
 * stands the turn of its latest use, so that a new turn clears nothing.
 */
struct seen {
    uint32_t *turns; /* 0: never used */
    size_t room;
    uint64_t now, before, both;
};

/* What invocations use of memory: lines, and pages of 4 KiB, by their physical addresses. */
struct footprint {
    struct seen lines, pages;
    uint64_t since; /* a stamp: lines of the first-level cache with a later one are known; 0 while nothing is noted */
};

bool footprint_open(struct footprint *footprint);
void footprint_close(struct footprint *footprint);

/* A turn begins. */
void footprint_begin(struct footprint *footprint, uint64_t stamp);
void footprint_end(struct footprint *footprint);

/* A line is used, and the page in which it lies. Without memory for it, the process ends. */
__attribute__((noinline)) void footprint_add(struct footprint *footprint, uint32_t turn, uint32_t line,
                                             unsigned lines_a_page_shift);

/* Used in this turn or the one before, or in both; 0 where there was none before. */
uint64_t seen_either(const struct seen *seen);

#endif
