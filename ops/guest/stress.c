/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* for the affinity to a core */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <x86intrin.h>

#include "marks.h"

enum { FUNCTION_CORE = 1, LINE = 64, CODE_MOST = 1 << 20, MARGIN = 8 << 20 };
enum { NOP = 0x90, RET = 0xc3, CLEAR_CARRY = 0xf8, SET_CARRY = 0xf9, JUMP_IF_CARRY = 0x72, BRANCH_BYTES = 4 };

/* What both processes see. */
struct order {
    size_t bytes;
    uint64_t until;
    unsigned done; /* orders carried out */
    int error;
};

static volatile struct order *order;
static unsigned given;
static int orders[2]; /* a pipe: it sleeps in reading it */
static uint8_t *code, *data;
static size_t data_bytes;

/*
 * A straight run of instructions: in each line a conditional branch, of which a line says whether it is taken. From
 * page to page it lies elsewhere in the line, so that all places of a predictor's table are met.
 */
static void write_code(size_t bytes)
{
    memset(code, NOP, bytes);
    for (size_t at = 0; at < bytes; at += LINE) {
        uint8_t *branch = code + at + at / 4096 % (LINE - BRANCH_BYTES);
        branch[0] = (at / LINE ^ at / 4096) & 1 ? SET_CARRY : CLEAR_CARRY;
        branch[1] = JUMP_IF_CARRY;
        branch[2] = 1; /* over the instruction behind it */
    }
    code[bytes - 1] = RET;
}

static void *reserve(size_t bytes, int protection)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE | protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                       -1, 0);
    if (start == MAP_FAILED) {
        order->error = errno;
        return NULL;
    }
    return start;
}

/* To take more than is free would cost the function pages that it had. */
static int has_room(size_t bytes)
{
    struct sysinfo info;
    if (sysinfo(&info) || bytes + MARGIN > (uint64_t)info.freeram * info.mem_unit)
        order->error = ENOMEM;
    return !order->error;
}

static void prepare(size_t bytes)
{
    if (!has_room(bytes))
        return;
    size_t code_bytes = bytes / 2 < CODE_MOST ? bytes / 2 : CODE_MOST;
    data_bytes = bytes - code_bytes;
    code = reserve(code_bytes, PROT_EXEC);
    data = code ? reserve(data_bytes, 0) : NULL;
    if (data)
        write_code(code_bytes);
}

static void go_over(void)
{
    for (size_t at = 0; at < data_bytes; at += LINE)
        ++*(volatile uint8_t *)(data + at);
    ((void (*)(void))code)();
}

static void serve(void)
{
    char byte;
    while (read(orders[0], &byte, 1) == 1) {
        MARK(MARK_STRANGER);
        if (!code)
            prepare(order->bytes);
        else
            do
                go_over();
            while (__rdtsc() < order->until);
        order->done++;
    }
    _exit(0);
}

void stress_start(void)
{
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(FUNCTION_CORE, &core);
    order = mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (order == MAP_FAILED || pipe(orders))
        give_up("stress");
    pid_t child = fork();
    if (child < 0)
        give_up("stress");
    if (child) {
        close(orders[0]);
        return;
    }
    close(orders[1]); /* so that it ends with the invoker */
    if (sched_setaffinity(0, sizeof core, &core))
        order->error = errno;
    serve();
}

static void command(void)
{
    if (write(orders[1], "", 1) != 1)
        give_up("stress");
    given++;
    while (order->done != given && !order->error)
        yield_to_function(1);
    errno = order->error;
    if (errno)
        give_up("there is no room in the guest's memory for the stress between invocations");
}

void stress_reserve(size_t bytes)
{
    order->bytes = bytes;
    command();
}

void stress_run(uint64_t until)
{
    order->until = until;
    command();
}
