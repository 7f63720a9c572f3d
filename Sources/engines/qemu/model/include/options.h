/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_OPTIONS_H
#define USWEEP_OPTIONS_H

#include "branch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_shape {
    uint64_t size; /* bytes */
    uint64_t ways;
};

struct options {
    struct cache_shape l1i, l1d, l2, llc;
    uint64_t line; /* bytes */
    uint64_t itlb_entries, dtlb_entries;
    uint64_t predictor_bits;
    enum predictor_kind predictor;
    bool empties; /* caches, buffers and predictor, before each measured invocation */
};

/* 32 KiB/8 twice, 1 MiB/16, 8 MiB/16, lines of 64 bytes, 64 entries twice, bimodal with 12 bits. */
void options_default(struct options *options);

/*
 * Takes one setting: l1i.size, l1i.ways, l1d.*, l2.*, llc.*, line, itlb.entries, dtlb.entries,
 * branch-predictor (bimodal, gshare), branch-predictor.bits, state (cold-caches; warm, lukewarm and cold-start are the
 * same to the model: what the guest does makes the difference). Sizes are bytes, or have KiB or MiB behind them.
 * False with a sentence in `error` if the name is unknown or the value is none.
 */
bool options_set(struct options *options, const char *name, const char *value, char *error, size_t length);

/* Whether caches of these shapes can be built. False with a sentence in `error`. */
bool options_check(const struct options *options, char *error, size_t length);

#endif
