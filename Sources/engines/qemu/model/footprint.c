/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "footprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1 << 16 };

static bool seen_open(struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    seen->room = ROOM_FIRST;
    seen->turns = calloc(seen->room, sizeof *seen->turns);
    return seen->turns;
}

bool footprint_open(struct footprint *footprint)
{
    memset(footprint, 0, sizeof *footprint);
    return seen_open(&footprint->lines) && seen_open(&footprint->pages);
}

void footprint_close(struct footprint *footprint)
{
    free(footprint->lines.turns);
    free(footprint->pages.turns);
    memset(footprint, 0, sizeof *footprint);
}

static void seen_turn(struct seen *seen)
{
    seen->before = seen->now;
    seen->now = seen->both = 0;
}

void footprint_begin(struct footprint *footprint, uint64_t stamp)
{
    seen_turn(&footprint->lines);
    seen_turn(&footprint->pages);
    footprint->since = stamp;
}

void footprint_end(struct footprint *footprint)
{
    footprint->since = 0;
}

static void make_room(struct seen *seen, uint32_t number)
{
    size_t room = seen->room;
    while (room <= number)
        room *= 2;
    uint32_t *turns = calloc(room, sizeof *turns);
    if (!turns) {
        fprintf(stderr, "model: out of memory\n");
        exit(1);
    }
    memcpy(turns, seen->turns, seen->room * sizeof *turns);
    free(seen->turns);
    seen->turns = turns;
    seen->room = room;
}

/* Whether it is new to this turn. */
static inline bool seen_add(struct seen *seen, uint32_t turn, uint32_t number)
{
    if (number >= seen->room)
        make_room(seen, number);
    uint32_t latest = seen->turns[number];
    if (latest == turn)
        return false;
    seen->turns[number] = turn;
    seen->now++;
    seen->both += latest && latest == turn - 1;
    return true;
}

void footprint_add(struct footprint *footprint, uint32_t turn, uint32_t line, unsigned lines_a_page_shift)
{
    if (seen_add(&footprint->lines, turn, line))
        seen_add(&footprint->pages, turn, line >> lines_a_page_shift);
}

uint64_t seen_either(const struct seen *seen)
{
    return seen->before ? seen->now + seen->before - seen->both : 0;
}
