/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_BRANCH_H
#define USWEEP_BRANCH_H

#include <stdbool.h>
#include <stdint.h>

enum predictor_kind { PREDICTOR_BIMODAL, PREDICTOR_GSHARE };

/*
 * A table of two-bit counters (0 and 1 say "not taken", 2 and 3 "taken"; all start at 1), found by the
 * lower bits of the branch's address; with gshare (McFarling, 1993) combined by exclusive or with the
 * outcomes of as many branches as there are bits, the latest in the lowest bit.
 */
struct predictor {
    uint8_t *counters;
    uint64_t mask, history;
    enum predictor_kind kind;
};

bool predictor_open(struct predictor *predictor, enum predictor_kind kind, unsigned bits);
void predictor_close(struct predictor *predictor);

/* As after its opening. */
void predictor_empty(struct predictor *predictor);

/* Predicts a branch, then learns how it went. True if the prediction was right. */
static inline bool predictor_use(struct predictor *predictor, uint64_t address, bool taken)
{
    uint64_t index = address;
    if (predictor->kind == PREDICTOR_GSHARE) {
        index ^= predictor->history;
        predictor->history = (predictor->history << 1 | taken) & predictor->mask;
    }
    uint8_t *counter = &predictor->counters[index & predictor->mask];
    bool predicted = *counter > 1;
    if (taken && *counter < 3)
        ++*counter;
    if (!taken && *counter > 0)
        --*counter;
    return predicted == taken;
}

#endif
