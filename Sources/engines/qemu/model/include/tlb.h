/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_TLB_H
#define USWEEP_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLB_ENTRIES_MOST = 4096, TLB_GUESS_BITS = 11, PAGE_SHIFT = 12 };

/*
 * A fully associative translation buffer with exact least-recently-used replacement, for pages of 4 KiB
 * (a large page counts as the small pages of it that are used).
 *
 * Each use stamps its entry; the oldest stamp is replaced. To find an entry without a search, each page
 * has a place in a table of guesses, which is believed only after a look at the entry itself.
 */
struct tlb_entry {
    uint64_t page;  /* virtual page number; TLB_EMPTY where nothing is */
    uint64_t frame; /* where the page lies */
    uint64_t stamp;
    uint64_t unused; /* a power of two: an entry lies in one line of the host's cache */
};

struct tlb {
    struct tlb_entry *content;
    uint64_t clock;
    unsigned entries;
    uint16_t guesses[1 << TLB_GUESS_BITS];
};

#define TLB_EMPTY UINT64_MAX

bool tlb_open(struct tlb *tlb, unsigned entries);
void tlb_close(struct tlb *tlb);

/* Looks everywhere. The entry, now the latest used; -1 for a miss. */
__attribute__((noinline)) int tlb_search(struct tlb *tlb, uint64_t page);

/* Puts a page that is not there in place of the oldest one. Its entry. */
__attribute__((noinline)) int tlb_fill(struct tlb *tlb, uint64_t page, uint64_t frame);

/* Forgets the pages of the lower half (programs), or all. */
void tlb_flush(struct tlb *tlb, bool all);

/* Fibonacci hashing: pages of one program or library spread. */
static inline unsigned tlb_guess(uint64_t page)
{
    return (unsigned)(page * 0x9e3779b97f4a7c15u >> (64 - TLB_GUESS_BITS));
}

/* The page's entry where the guess is right, else NULL. Changes nothing. */
static inline struct tlb_entry *tlb_peek(struct tlb *tlb, uint64_t page)
{
    struct tlb_entry *entry = &tlb->content[tlb->guesses[tlb_guess(page)]];
    return entry->page == page ? entry : NULL;
}

static inline void tlb_stamp(struct tlb *tlb, struct tlb_entry *entry)
{
    entry->stamp = ++tlb->clock;
}

/* Uses a page. Its entry; -1 for a miss. */
static inline int tlb_find(struct tlb *tlb, uint64_t page)
{
    struct tlb_entry *entry = tlb_peek(tlb, page);
    if (__builtin_expect(!entry, 0))
        return tlb_search(tlb, page);
    tlb_stamp(tlb, entry);
    return (int)(entry - tlb->content);
}

#endif
