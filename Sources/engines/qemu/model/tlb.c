/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tlb.h"

#include <stdlib.h>
#include <string.h>

bool tlb_open(struct tlb *tlb, unsigned entries)
{
    memset(tlb, 0, sizeof *tlb);
    tlb->entries = entries;
    tlb->content = aligned_alloc(sizeof *tlb->content, entries * sizeof *tlb->content);
    if (!tlb->content)
        return false;
    memset(tlb->content, 0, entries * sizeof *tlb->content);
    tlb_flush(tlb, true);
    return true;
}

void tlb_close(struct tlb *tlb)
{
    free(tlb->content);
    tlb->content = NULL;
}

static int use(struct tlb *tlb, unsigned entry, uint64_t page)
{
    tlb->content[entry].stamp = ++tlb->clock;
    tlb->guesses[tlb_guess(page)] = (uint16_t)entry;
    return (int)entry;
}

int tlb_search(struct tlb *tlb, uint64_t page)
{
    for (unsigned entry = 0; entry < tlb->entries; entry++)
        if (tlb->content[entry].page == page)
            return use(tlb, entry, page);
    return -1;
}

int tlb_fill(struct tlb *tlb, uint64_t page, uint64_t frame)
{
    unsigned oldest = 0;
    for (unsigned entry = 1; entry < tlb->entries; entry++)
        if (tlb->content[entry].stamp < tlb->content[oldest].stamp)
            oldest = entry;
    tlb->content[oldest].page = page;
    tlb->content[oldest].frame = frame;
    return use(tlb, oldest, page);
}

void tlb_flush(struct tlb *tlb, bool all)
{
    for (unsigned entry = 0; entry < tlb->entries; entry++) {
        if (!all && tlb->content[entry].page >> (63 - PAGE_SHIFT))
            continue; /* the kernel's half */
        tlb->content[entry].page = TLB_EMPTY;
        tlb->content[entry].stamp = 0;
    }
}
