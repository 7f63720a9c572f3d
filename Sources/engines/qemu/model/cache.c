/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

static size_t lines_size(const struct cache *cache)
{
    return (((size_t)cache->set_mask + 1) * cache->stride * sizeof *cache->lines + 63) & ~(size_t)63;
}

bool cache_open(struct cache *cache, uint64_t sets, unsigned ways)
{
    memset(cache, 0, sizeof *cache);
    cache->set_mask = (uint32_t)(sets - 1);
    cache->ways = ways;
    cache->stride = (ways + 3) & ~3u;
    size_t bytes = lines_size(cache);
    cache->lines = aligned_alloc(64, bytes);
    cache->stamps = calloc(sets * cache->stride, sizeof *cache->stamps);
    if (!cache->lines || !cache->stamps) {
        cache_close(cache);
        return false;
    }
    memset(cache->lines, 0, bytes);
    return true;
}

void cache_close(struct cache *cache)
{
    free(cache->lines);
    free(cache->stamps);
    cache->lines = NULL;
    cache->stamps = NULL;
}

void cache_empty(struct cache *cache)
{
    memset(cache->lines, 0, lines_size(cache));
    memset(cache->stamps, 0, ((size_t)cache->set_mask + 1) * cache->stride * sizeof *cache->stamps);
}

void cache_fill(struct cache *cache, uint32_t line)
{
    size_t first = (size_t)(line & cache->set_mask) * cache->stride;
    const uint64_t *stamps = cache->stamps + first;
    unsigned oldest = 0;
    for (unsigned way = 1; way < cache->ways; way++)
        if (stamps[way] < stamps[oldest])
            oldest = way;
    cache->lines[first + oldest] = line + 1;
    cache->stamps[first + oldest] = ++cache->clock;
}
