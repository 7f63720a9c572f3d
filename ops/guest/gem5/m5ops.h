/* SPDX-License-Identifier: Apache-2.0
 *
 * gem5's magic calls on x86, by number (gem5: include/gem5/asm/generic/m5ops.h).
 *
 * Three ways, of which the first that works is taken at the first call: nothing is simulated and the environment
 * has USWEEP_CONSOLE (the call is printed); the instruction 0f 04 with a 16-bit number (all cores that gem5 simulates);
 * a read from the page that gem5 watches (System.m5ops_base; needed under KVM, where the instruction is not known).
 */
#ifndef USWEEP_M5OPS_H
#define USWEEP_M5OPS_H

enum m5_call {
    M5_EXIT = 0x21,
    M5_FAIL = 0x22,
    M5_READ_FILE = 0x50,
    M5_WORK_BEGIN = 0x5a,
    M5_WORK_END = 0x5b
};

/* What a code of M5_FAIL means to the run script: vSwarm-u's numbers, and from 40 on this project's own. */
enum m5_mark {
    MARK_WARMING = 31,
    MARK_WARMED = 32,
    MARK_OTHERS = 33, /* what runs from here to the next invocation is not the function */
    MARK_WRONG_ANSWER = 40,
    MARK_FUNCTION_LOST = 41,
    MARK_NO_CONTAINER = 42,
    MARK_NO_NETWORK = 43
};

/* Chooses the way; before the first call, so that none of it falls into what is measured. */
void m5_start(void);

/* Calls with up to three arguments; 0 where the call has no result. */
unsigned long m5_call(enum m5_call number, unsigned long a, unsigned long b, unsigned long c);

#endif
