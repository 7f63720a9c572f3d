/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_MODEL_H
#define USWEEP_MODEL_H

#include "branch.h"
#include "cache.h"
#include "footprint.h"
#include "options.h"
#include "tlb.h"

#include <stdio.h>

/* In the order in which they are written. */
enum counter {
    INSTRUCTIONS, LOADS, STORES /* behind LOADS */, BRANCHES, BRANCH_MISSES,
    L1I_ACCESSES, L1I_MISSES, L1D_ACCESSES, L1D_MISSES, L2_ACCESSES, L2_MISSES, LLC_ACCESSES, LLC_MISSES,
    ITLB_MISSES, DTLB_MISSES,
    COUNTERS
};

enum side { KERNEL, USER, SIDES };

/* What happens seldom, and on one side only; in the order in which it is written. */
enum event { SYSTEM_CALLS, PAGE_FAULTS, EVENTS };

/* No address of memory: what is behind it (a device) is not cached. */
#define FRAME_UNCACHED UINT64_MAX

#define NO_CODE_LINE UINT32_MAX

/*
 * One core's caches, translation buffers and branch predictor. Caches are found by physical addresses, filled
 * at every level on a miss (writes too), and do not exclude each other; nothing is written back, no
 * page walk is modelled, and there is no time.
 */
struct model {
    /* Read them with model_count: L1D_ACCESSES has only what loads and stores do not explain. */
    uint64_t counters[COUNTERS][SIDES];
    struct cache l1i, l1d, l2, llc;
    struct tlb itlb, dtlb;
    struct predictor predictor;
    uint64_t events[EVENTS];
    struct footprint code, data; /* of the current turn: an invocation that is measured, or one before those */
    uint32_t turn;
    bool noting; /* a turn is under way */
    unsigned line_shift;
    uint32_t latest_code_line; /* of the latest fetch; a cached line, or NO_CODE_LINE */
};

/* The options must have been checked. False if there is no memory. */
bool model_open(struct model *model, const struct options *options);
void model_close(struct model *model);

/* An invocation begins: all counters are 0 again, and its footprint is noted up to its end. */
void model_begin(struct model *model);
void model_end(struct model *model);

/* Nothing is in caches and buffers, and the predictor has learned nothing. What has been counted stays. */
void model_empty(struct model *model);

/* Writes a JSON object's members, without braces: totals, then the shares of programs and kernel; then, unless only
   instructions are wanted, events and footprints. */
void model_write(const struct model *model, bool only_instructions, FILE *file);

/* Writes as many members, whose names get this prefix, with these counts. */
void model_write_counts(const uint64_t counts[], unsigned count, const char *prefix, FILE *file);

/* What a first-level cache does not have. */
__attribute__((noinline)) void model_beyond(struct model *model, enum side side, uint32_t line);

/* The line's physical address, as a number of a line. */
static inline uint32_t model_line(const struct model *model, uint64_t physical)
{
    return (uint32_t)(physical >> model->line_shift);
}

/* A code page is used. */
static inline void model_code_page(struct model *model, enum side side, uint64_t page)
{
    if (tlb_find(&model->itlb, page) < 0) {
        model->counters[ITLB_MISSES][side]++;
        tlb_fill(&model->itlb, page, 0);
    }
}

/* A line is used, perhaps for the first time in this turn. */
static inline void model_note(struct model *model, struct footprint *footprint, uint32_t line)
{
    footprint_add(footprint, model->turn, line, PAGE_SHIFT - model->line_shift);
}

/* As cache_use, for a cache whose lines make a footprint. */
static inline bool model_first_level(struct model *model, struct cache *cache, struct footprint *footprint,
                                     uint32_t line)
{
    size_t place = cache_peek(cache, line);
    bool hit = place != CACHE_NOWHERE;
    if (hit ? cache->stamps[place] <= footprint->since : model->noting)
        model_note(model, footprint, line);
    if (hit)
        cache_stamp(cache, place);
    else
        cache_fill(cache, line);
    return hit;
}

/*
 * Instructions are fetched from this many lines in a row. To go on in the line of the latest fetch is no access:
 * so it makes no difference where QEMU cuts code into blocks.
 */
static inline void model_fetch(struct model *model, enum side side, uint32_t line, unsigned count)
{
    for (; count; count--, line++) {
        if (line == model->latest_code_line)
            continue;
        model->latest_code_line = line;
        model->counters[L1I_ACCESSES][side]++;
        if (!model_first_level(model, &model->l1i, &model->code, line)) {
            model->counters[L1I_MISSES][side]++;
            model_beyond(model, side, line);
        }
    }
}

/* Where a virtual page lies: its physical page number, or FRAME_UNCACHED. Asked only when the buffer misses. */
typedef uint64_t (*model_translate)(void *context, uint64_t page);

/* The same access, whatever it meets: two lines, two pages, a device, misses. */
__attribute__((noinline)) void model_data_slowly(struct model *model, enum side side, uint64_t address,
                                                 uint64_t last, model_translate translate, void *context);

/*
 * One access of up to a line, which may lie across two lines or two pages. The commonest case, a hit in buffer
 * and cache, is here, and calls nothing; it leaves everything as it was where it is not met.
 */
static inline void model_data(struct model *model, enum side side, uint64_t address, unsigned size, bool store,
                              model_translate translate, void *context)
{
    const uint64_t within = ((uint64_t)1 << PAGE_SHIFT) - 1;
    uint64_t last = address + size - 1;
    model->counters[LOADS + store][side]++;
    struct tlb_entry *entry = tlb_peek(&model->dtlb, address >> PAGE_SHIFT);
    if (__builtin_expect(entry && !((address ^ last) >> model->line_shift) && entry->frame != FRAME_UNCACHED, 1)) {
        size_t place = cache_peek(&model->l1d, model_line(model, entry->frame << PAGE_SHIFT | (address & within)));
        if (__builtin_expect(place != CACHE_NOWHERE, 1)) {
            tlb_stamp(&model->dtlb, entry);
            if (__builtin_expect(model->l1d.stamps[place] <= model->data.since, 0))
                model_note(model, &model->data,
                           model_line(model, entry->frame << PAGE_SHIFT | (address & within)));
            cache_stamp(&model->l1d, place);
            return;
        }
    }
    model_data_slowly(model, side, address, last, translate, context);
}

/* A block of instructions in one line runs. False, with nothing changed, where buffer or cache misses. */
static inline bool model_code_hit(struct model *model, enum side side, uint64_t page, uint32_t line)
{
    struct tlb_entry *entry = tlb_peek(&model->itlb, page);
    size_t place = cache_peek(&model->l1i, line);
    if (__builtin_expect(!entry || place == CACHE_NOWHERE, 0))
        return false;
    model->counters[L1I_ACCESSES][side] += line != model->latest_code_line;
    model->latest_code_line = line;
    tlb_stamp(&model->itlb, entry);
    if (__builtin_expect(model->l1i.stamps[place] <= model->code.since, 0))
        model_note(model, &model->code, line);
    cache_stamp(&model->l1i, place);
    return true;
}

/* Translations of programs, or all, are no longer valid. */
void model_flush(struct model *model, bool all);

/* What has been counted. */
uint64_t model_count(const struct model *model, enum counter counter, enum side side);

static inline void model_branch(struct model *model, enum side side, uint64_t address, bool taken)
{
    model->counters[BRANCHES][side]++;
    if (!predictor_use(&model->predictor, address, taken))
        model->counters[BRANCH_MISSES][side]++;
}

#endif
