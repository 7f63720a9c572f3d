/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include "tlb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREDICTOR_BITS_MOST = 24, WAYS_MOST = 64 };
static const uint64_t cache_size_most = (uint64_t)1 << 30;

struct setting {
    const char *name;
    size_t offset;
    bool is_size;
};

#define NUMBER(name, field) {name, offsetof(struct options, field), false}
#define SIZE(name, field) {name, offsetof(struct options, field), true}

static const struct setting settings[] = {
    SIZE("l1i.size", l1i.size),   NUMBER("l1i.ways", l1i.ways),
    SIZE("l1d.size", l1d.size),   NUMBER("l1d.ways", l1d.ways),
    SIZE("l2.size", l2.size),     NUMBER("l2.ways", l2.ways),
    SIZE("llc.size", llc.size),   NUMBER("llc.ways", llc.ways),
    SIZE("line", line),           NUMBER("itlb.entries", itlb_entries),
    NUMBER("dtlb.entries", dtlb_entries), NUMBER("branch-predictor.bits", predictor_bits),
};

void options_default(struct options *options)
{
    *options = (struct options){
        .l1i = {32 << 10, 8}, .l1d = {32 << 10, 8}, .l2 = {1 << 20, 16}, .llc = {8 << 20, 16},
        .line = 64, .itlb_entries = 64, .dtlb_entries = 64,
        .predictor = PREDICTOR_BIMODAL, .predictor_bits = 12,
    };
}

static bool read_number(const char *text, bool is_size, uint64_t *number)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno)
        return false;
    uint64_t unit = 1;
    if (is_size && !strcmp(end, "KiB"))
        unit = 1 << 10;
    else if (is_size && !strcmp(end, "MiB"))
        unit = 1 << 20;
    else if (*end)
        return false;
    if (*number > cache_size_most / unit)
        return false;
    *number *= unit;
    return true;
}

static bool set_predictor(struct options *options, const char *value, char *error, size_t length)
{
    if (!strcmp(value, "bimodal"))
        options->predictor = PREDICTOR_BIMODAL;
    else if (!strcmp(value, "gshare"))
        options->predictor = PREDICTOR_GSHARE;
    else {
        snprintf(error, length, "branch-predictor is bimodal or gshare, not '%s'", value);
        return false;
    }
    return true;
}

static bool set_state(struct options *options, const char *value, char *error, size_t length)
{
    options->empties = !strcmp(value, "cold-caches");
    if (options->empties || !strcmp(value, "warm") || !strcmp(value, "lukewarm") || !strcmp(value, "cold-start"))
        return true;
    snprintf(error, length, "state is warm, lukewarm, cold-caches or cold-start, not '%s'", value);
    return false;
}

bool options_set(struct options *options, const char *name, const char *value, char *error, size_t length)
{
    if (!strcmp(name, "branch-predictor"))
        return set_predictor(options, value, error, length);
    if (!strcmp(name, "state"))
        return set_state(options, value, error, length);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (strcmp(name, settings[i].name))
            continue;
        uint64_t number;
        if (!read_number(value, settings[i].is_size, &number)) {
            snprintf(error, length, "%s needs a whole number%s, not '%s'", name,
                     settings[i].is_size ? " of bytes, KiB or MiB (at most 1024MiB)" : "", value);
            return false;
        }
        memcpy((char *)options + settings[i].offset, &number, sizeof number);
        return true;
    }
    snprintf(error, length, "the model has no setting '%s'", name);
    return false;
}

static bool is_power(uint64_t number)
{
    return number && !(number & (number - 1));
}

static bool check_cache(const char *name, struct cache_shape shape, uint64_t line, char *error, size_t length)
{
    if (shape.ways < 1 || shape.ways > WAYS_MOST) {
        snprintf(error, length, "%s.ways is %" PRIu64 ", but must be from 1 to %d", name, shape.ways, WAYS_MOST);
        return false;
    }
    uint64_t way = shape.ways * line;
    if (shape.size % way || !is_power(shape.size / way)) {
        snprintf(error, length,
                 "%s.size is %" PRIu64 " bytes, but must be a power of two times ways and line (%" PRIu64 " x %" PRIu64
                 " bytes)", name, shape.size, shape.ways, line);
        return false;
    }
    return true;
}

static bool check_range(const char *name, uint64_t value, uint64_t least, uint64_t most, char *error, size_t length)
{
    if (value >= least && value <= most)
        return true;
    snprintf(error, length, "%s is %" PRIu64 ", but must be from %" PRIu64 " to %" PRIu64, name, value, least, most);
    return false;
}

bool options_check(const struct options *options, char *error, size_t length)
{
    if (!is_power(options->line) || options->line < 16 || options->line > 1024) {
        snprintf(error, length, "line is %" PRIu64 " bytes, but must be a power of two from 16 to 1024",
                 options->line);
        return false;
    }
    return check_cache("l1i", options->l1i, options->line, error, length) &&
           check_cache("l1d", options->l1d, options->line, error, length) &&
           check_cache("l2", options->l2, options->line, error, length) &&
           check_cache("llc", options->llc, options->line, error, length) &&
           check_range("itlb.entries", options->itlb_entries, 1, TLB_ENTRIES_MOST, error, length) &&
           check_range("dtlb.entries", options->dtlb_entries, 1, TLB_ENTRIES_MOST, error, length) &&
           check_range("branch-predictor.bits", options->predictor_bits, 1, PREDICTOR_BITS_MOST, error, length);
}
