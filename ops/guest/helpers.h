/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs in the guest that do something when the invoker says so: each has a pipe for orders and one in which it says
 * that it has carried one out. Only the invoker uses this.
 */
#ifndef USWEEP_HELPERS_H
#define USWEEP_HELPERS_H

struct helper {
    int orders, done;
    char name[64]; /* NAME.orders and NAME.done are its pipes; NAME.problem says in a line what went wrong */
};

/* The pipes are there. */
void helper_open(struct helper *helper, const char *name);

void helper_order(const struct helper *helper, const char *order);

/* Waits until an order has been carried out, without sleeping, but for whoever else this core has to run. If the helper
 * has failed, what it says goes to standard error, and the program ends. */
void helper_await(const struct helper *helper);

/* Defined by the program. */
void give_up(const char *what) __attribute__((noreturn));

#endif
