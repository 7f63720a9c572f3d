/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_DECODE_H
#define USWEEP_DECODE_H

#include <stddef.h>
#include <stdint.h>

/* What the model must know of an x86-64 instruction, as far as it matters. */
enum instruction_kind {
    INSTRUCTION_PLAIN,
    INSTRUCTION_BRANCH,      /* conditional: jcc, loop, jrcxz */
    INSTRUCTION_FLUSH_USER,  /* mov to cr3, invlpg: programs' translations go */
    INSTRUCTION_FLUSH_ALL,   /* mov to cr4 */
    INSTRUCTION_SYSTEM_CALL, /* syscall */
    INSTRUCTION_FAULT,       /* mov from cr2: Linux asks once at each page fault where it was */
    INSTRUCTION_CROSSING,    /* swapgs: on the way from or to user mode */
    INSTRUCTION_HALT,        /* hlt */
    INSTRUCTION_SWITCH,      /* mov disp(%rsi),%rsp: the next task's stack (Linux, __switch_to_asm) */
    INSTRUCTION_MARK         /* see marks.h */
};

struct instruction {
    enum instruction_kind kind;
    int64_t distance; /* of a branch: from the end of the instruction to its target */
    unsigned mark;
};

/* `length` bytes, no more and no less, make one instruction. */
struct instruction decode(const uint8_t *bytes, size_t length);

#endif
