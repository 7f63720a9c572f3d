/* SPDX-License-Identifier: Apache-2.0 */
#include "m5ops.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_ADDRESS 0xffff0000 /* where the run scripts put System.m5ops_base, as vSwarm-u's do */
#define PAGE_LENGTH 0x10000
enum { SUM = 0x23 }; /* adds its arguments: a call without effect, to try a way with */

static enum { UNKNOWN, PRINTED, INSTRUCTION, MAPPED } way;
static sigjmp_buf refused;
static volatile unsigned char *page;

static void refuse(int signal)
{
    (void)signal;
    siglongjmp(refused, 1);
}

#define INSTRUCTION_CASE(number)                                                                                  \
    case number:                                                                                                  \
        __asm__ volatile(".byte 0x0f, 0x04\n\t.word %c4" : "=a"(result), "+D"(a), "+S"(b), "+d"(c) : "i"(number) \
                         : "memory", "cc", "rcx", "r8", "r9", "r10", "r11");                                      \
        break

static unsigned long by_instruction(int number, unsigned long a, unsigned long b, unsigned long c)
{
    unsigned long result = 0;
    switch (number) {
        INSTRUCTION_CASE(M5_EXIT);
        INSTRUCTION_CASE(M5_FAIL);
        INSTRUCTION_CASE(SUM);
        INSTRUCTION_CASE(M5_READ_FILE);
        INSTRUCTION_CASE(M5_WORK_BEGIN);
        INSTRUCTION_CASE(M5_WORK_END);
    }
    return result;
}

/* gem5 takes the call's number from the address, the arguments from the registers. */
static unsigned long by_page(int number, unsigned long a, unsigned long b, unsigned long c)
{
    unsigned long result;
    __asm__ volatile("movq (%4), %0" : "=a"(result), "+D"(a), "+S"(b), "+d"(c) : "r"(page + (number << 8))
                     : "memory", "cc");
    return result;
}

static void map_page(void)
{
    int file = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    void *mapped = file < 0 ? MAP_FAILED
                            : mmap(NULL, PAGE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE_ADDRESS);
    if (mapped == MAP_FAILED) {
        perror("usweep: gem5's magic calls cannot be reached: /dev/mem");
        exit(1);
    }
    close(file);
    page = mapped;
    way = MAPPED;
}

void m5_start(void)
{
    struct sigaction old, action = {.sa_handler = refuse};
    if (way != UNKNOWN)
        return;
    if (getenv("USWEEP_CONSOLE")) {
        way = PRINTED;
        return;
    }
    sigaction(SIGILL, &action, &old);
    if (!sigsetjmp(refused, 1)) {
        by_instruction(SUM, 0, 0, 0);
        way = INSTRUCTION;
    }
    sigaction(SIGILL, &old, NULL);
    if (way == UNKNOWN)
        map_page();
}

unsigned long m5_call(enum m5_call number, unsigned long a, unsigned long b, unsigned long c)
{
    m5_start();
    if (way == INSTRUCTION)
        return by_instruction(number, a, b, c);
    if (way == MAPPED)
        return by_page(number, a, b, c);
    switch (number) {
    case M5_EXIT: printf("usweep: m5 exit\n"); break;
    case M5_FAIL: printf("usweep: m5 fail %ld\n", (long)b); break;
    case M5_READ_FILE: return 0;
    case M5_WORK_BEGIN: printf("usweep: m5 work-begin %lu\n", a); break;
    case M5_WORK_END: printf("usweep: m5 work-end %lu\n", a); break;
    }
    fflush(stdout);
    return 0;
}
