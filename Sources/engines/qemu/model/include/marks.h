/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later
 *
 * How a program in the guest tells the model where a measured invocation begins and ends.
 *
 * A mark is one instruction: an eight-byte NOP whose displacement carries a number. It needs no
 * privilege, touches no memory and no register, and does nothing on a real machine; compilers pad
 * with a displacement of zero, so it never appears by chance.
 */
#ifndef USWEEP_MARKS_H
#define USWEEP_MARKS_H

/* The version of this agreement. A guest and a model of different versions do not understand each other. */
#define MARKS_VERSION 2

/* 0f 1f 84 00 disp32: nopl disp32(%rax,%rax,1); the upper three bytes of the displacement are "USW". */
#define MARK_PREFIX_BYTES 4
#define MARK_LENGTH 8
#define MARK_SIGNATURE 0x57535500u

enum mark {
    MARK_INVOCATION_BEGIN = 1,
    MARK_INVOCATION_END = 2,
    MARK_WARMING_BEGIN = 3, /* an invocation that is not measured, after the machine has been restored */
    MARK_WARMING_END = 4,
    MARK_STRANGER = 5, /* the program that executes this, on the function's core, is none of the function's */
    MARK_COUNT
};

#define MARK(number)                                                                                      \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" ::"i"(MARK_SIGNATURE | (number)) : "memory")

#endif
