/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_TASKS_H
#define USWEEP_TASKS_H

#include "model.h"

/*
 * Whose work a core does. Linux goes from task to task in one place (__switch_to_asm), where it loads the next one's
 * stack pointer from its description: the address of that load tells one task from another. What kind of task it is
 * shows in what it does: only programs come from and go to user mode (swapgs), only the idle task halts.
 *
 * What is counted while a task runs is its own, interrupts among it.
 */
enum task_kind {
    TASK_KERNEL, /* a thread of the kernel, as far as one knows */
    TASK_PROGRAM,
    TASK_IDLE,
    TASK_STRANGER, /* a program beside the function, which has said so */
};

enum { TASKS = 1 << 12 };

struct task {
    uint64_t address; /* 0: free */
    enum task_kind kind;
};

struct tasks {
    struct task *known; /* TASKS */
    struct task *current; /* NULL: not known yet */
    unsigned count;
    uint64_t settled[COUNTERS]; /* the counters up to which all has been shared out */
    uint64_t idle[COUNTERS], others[COUNTERS];
};

/* False if there is no memory. */
bool tasks_open(struct tasks *tasks);
void tasks_close(struct tasks *tasks);

/* The core goes on with the task at this address. */
void tasks_switch(struct tasks *tasks, const struct model *model, uint64_t address);

/* The current task shows what it is. */
void tasks_show(struct tasks *tasks, enum task_kind kind);

/* The model's counters have been reset. */
void tasks_begin(struct tasks *tasks);

/* Shares out what has been counted up to now. */
void tasks_settle(struct tasks *tasks, const struct model *model);

#endif
