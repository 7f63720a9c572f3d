/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void refuse(const char *text)
{
    static char problem[160];
    errno = 0;
    snprintf(problem, sizeof problem, "the plan '%.100s' is not understood", text);
    give_up(problem);
}

void read_plan(char *text, struct plan *plan)
{
    const struct {
        const char *name;
        uint64_t *value;
    } items[] = {{"stress", &plan->stress}, {"others", &plan->others}, {"every", &plan->every}, {"mean", &plan->mean},
                 {"seed", &plan->seed},     {"cold", &plan->cold}};
    int used = 0;
    char name[16], *rest;
    unsigned long long value;
    if (sscanf(text, "E %d %d%n", &plan->warming, &plan->measured, &used) != 2)
        refuse(text);
    for (char *word = strtok_r(text + used, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        size_t i = 0;
        if (sscanf(word, "%15[a-z]=%llu", name, &value) != 2)
            refuse(word);
        while (i < sizeof items / sizeof *items && strcmp(items[i].name, name))
            i++;
        if (i == sizeof items / sizeof *items)
            refuse(word);
        *items[i].value = value;
    }
}
