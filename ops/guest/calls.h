/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to a function in the guest: one connection, gRPC over HTTP/2, one call at a time.
 *
 * The program that makes the calls says what becomes of an error: it defines give_up.
 */
#ifndef USWEEP_CALLS_H
#define USWEEP_CALLS_H

enum { CALLS_MOST = 64, TEXT_MOST = 1024 };

struct call {
    char name[TEXT_MOST], answer[TEXT_MOST];
};

extern struct call calls[CALLS_MOST];
extern int call_count;

/* Reads one call a line: a name, a space, the answer expected. */
void read_calls(const char *path);

/* Connects to port 50051 of the machine with this address (a number), waiting for the function to listen, and exchanges
 * settings. */
void open_connection(const char *address);

/* Calls helloworld.Greeter/SayHello and waits for the answer. */
void call_once(const struct call *call);

/* What the last answer says, as text; nothing if it is no HelloReply. */
const char *message(void);

/* Gives back the window that replies have used, between calls only. */
void widen_window(void);

/* Defined by the program: says what went wrong (errno, if it is set, says why), and ends. Does not return. */
void give_up(const char *what) __attribute__((noreturn));

#endif
