/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "branch.h"

#include <stdlib.h>
#include <string.h>

bool predictor_open(struct predictor *predictor, enum predictor_kind kind, unsigned bits)
{
    uint64_t size = (uint64_t)1 << bits;
    predictor->kind = kind;
    predictor->mask = size - 1;
    predictor->counters = malloc(size);
    if (predictor->counters)
        predictor_empty(predictor);
    return predictor->counters != NULL;
}

void predictor_empty(struct predictor *predictor)
{
    predictor->history = 0;
    memset(predictor->counters, 1, predictor->mask + 1);
}

void predictor_close(struct predictor *predictor)
{
    free(predictor->counters);
    predictor->counters = NULL;
}
