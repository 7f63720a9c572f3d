/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tasks.h"

#include <stdlib.h>
#include <string.h>

bool tasks_open(struct tasks *tasks)
{
    memset(tasks, 0, sizeof *tasks);
    tasks->known = calloc(TASKS, sizeof *tasks->known);
    return tasks->known;
}

void tasks_close(struct tasks *tasks)
{
    free(tasks->known);
    tasks->known = NULL;
}

static struct task *find(struct tasks *tasks, uint64_t address)
{
    unsigned place = (unsigned)(address * 0x9e3779b97f4a7c15u >> 52);
    while (tasks->known[place].address != address) {
        if (!tasks->known[place].address) {
            tasks->known[place] = (struct task){.address = address};
            tasks->count++;
            break;
        }
        place = (place + 1) % TASKS;
    }
    return &tasks->known[place];
}

void tasks_settle(struct tasks *tasks, const struct model *model)
{
    enum task_kind kind = tasks->current ? tasks->current->kind : TASK_PROGRAM;
    uint64_t *share = kind == TASK_IDLE ? tasks->idle : kind == TASK_PROGRAM ? NULL : tasks->others;
    for (enum counter i = 0; i < COUNTERS; i++) {
        uint64_t count = model_count(model, i, USER) + model_count(model, i, KERNEL);
        if (share)
            share[i] += count - tasks->settled[i];
        tasks->settled[i] = count;
    }
}

void tasks_switch(struct tasks *tasks, const struct model *model, uint64_t address)
{
    tasks_settle(tasks, model);
    /* So many at once there are not: most have ended. Those that live show again what they are. */
    if (tasks->count > TASKS / 2) {
        memset(tasks->known, 0, TASKS * sizeof *tasks->known);
        tasks->count = 0;
    }
    tasks->current = find(tasks, address);
}

void tasks_show(struct tasks *tasks, enum task_kind kind)
{
    if (tasks->current && tasks->current->kind == TASK_KERNEL)
        tasks->current->kind = kind;
    if (tasks->current && kind == TASK_STRANGER)
        tasks->current->kind = kind;
}

void tasks_begin(struct tasks *tasks)
{
    memset(tasks->settled, 0, sizeof tasks->settled);
    memset(tasks->idle, 0, sizeof tasks->idle);
    memset(tasks->others, 0, sizeof tasks->others);
}
