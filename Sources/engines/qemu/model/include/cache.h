/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_CACHE_H
#define USWEEP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * A set-associative cache of lines with exact least-recently-used replacement. It holds no data: only
 * which lines are there, and a stamp of the latest use of each; the oldest stamp of a set is replaced.
 */
struct cache {
    uint32_t *lines;  /* sets * stride; a line's number plus one, 0 where nothing is */
    uint64_t *stamps; /* sets * stride; 0 where nothing is */
    uint64_t clock;
    uint32_t set_mask;
    unsigned ways, stride; /* from one set to the next: the ways, rounded up to four */
};

/* sets must be a power of two, at most 2^31; ways at most 64. False if there is no memory. */
bool cache_open(struct cache *cache, uint64_t sets, unsigned ways);
void cache_close(struct cache *cache);

/* Forgets all lines; the clock goes on. */
void cache_empty(struct cache *cache);

#define CACHE_NOWHERE SIZE_MAX

/* Puts a line that is not there in place of the oldest of its set. */
__attribute__((noinline)) void cache_fill(struct cache *cache, uint32_t line);

/* Which of the numbers, a multiple of four, is the one wanted: a bit for each. Without a branch: where in its set
   a line lies cannot be foreseen. */
static inline uint64_t cache_compare(const uint32_t *numbers, unsigned count, uint32_t wanted)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < count; i += 4) {
#ifdef __SSE2__
        __m128i equal = _mm_cmpeq_epi32(_mm_load_si128((const __m128i *)(const void *)(numbers + i)),
                                        _mm_set1_epi32((int)wanted));
        found |= (uint64_t)(unsigned)_mm_movemask_ps(_mm_castsi128_ps(equal)) << i;
#else
        for (unsigned k = i; k < i + 4; k++)
            found |= (uint64_t)(numbers[k] == wanted) << k;
#endif
    }
    return found;
}

/* Where a line is, or CACHE_NOWHERE. Changes nothing. */
static inline size_t cache_peek(const struct cache *cache, uint32_t line)
{
    size_t first = (size_t)(line & cache->set_mask) * cache->stride;
    const uint32_t *set = cache->lines + first;
    uint64_t found = cache->stride == 8 ? cache_compare(set, 8, line + 1) : cache_compare(set, cache->stride, line + 1);
    return found ? first + (unsigned)__builtin_ctzll(found) : CACHE_NOWHERE;
}

/* Uses a line that is at this place. */
static inline void cache_stamp(struct cache *cache, size_t place)
{
    cache->stamps[place] = ++cache->clock;
}

/*
 * Uses a line (physical address divided by the line's size: 32 bits are 64 GiB of the smallest lines).
 * True for a hit; after a miss, the line is there.
 */
static inline bool cache_use(struct cache *cache, uint32_t line)
{
    size_t place = cache_peek(cache, line);
    if (__builtin_expect(place == CACHE_NOWHERE, 0)) {
        cache_fill(cache, line);
        return false;
    }
    cache_stamp(cache, place);
    return true;
}

#endif
