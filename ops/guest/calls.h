/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to a workload: one connection, one call at a time, by gRPC, HTTP/2 or HTTP/1.1.
 *
 * Requests and answers are bytes that were prepared outside, in a file (ops/guest/functions/README.md has its format).
 * Everything is read and all memory is set aside before the first call: a call allocates nothing, writes nothing and
 * opens nothing.
 *
 * The program that makes the calls says what becomes of an error: it defines give_up.
 */
#ifndef USWEEP_CALLS_H
#define USWEEP_CALLS_H

#include <regex.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_MOST = 1 << 20, PROBLEM_MOST = 640 };

/* A guest's patience, in seconds of its own time: a machine may have to boot first, on a host that has much to do. */
enum { START_S = 300, CALL_S = 60 };

struct bytes {
    uint8_t *start;
    size_t length;
};

struct call {
    enum { CALL_GRPC, CALL_HTTP2, CALL_HTTP1 } kind;
    const char *method, *path, *type;
    struct bytes request; /* what is sent: a body, for gRPC with its prefix, for HTTP/1.1 with its head */
    enum { EXPECT_BYTES, EXPECT_MATCH, EXPECT_JSON, EXPECT_STATUS, EXPECT_ANY } rule;
    struct bytes expected;
    regex_t pattern;
    int status; /* of gRPC or HTTP */
};

/* What came back to the last call. */
struct answer {
    int http_status, grpc_status; /* -1: none came */
    char grpc_message[128];
    size_t length;
    uint8_t bytes[ANSWER_MOST + 1];
};

enum verdict { VERDICT_RIGHT, VERDICT_STATUS, VERDICT_WRONG };

extern struct call *calls;
extern int call_count;
extern struct answer answer;

/* $USWEEP_PORT, or gRPC's usual one. */
int port_of_workload(void);

/* Reads the calls of a file; port is that of the workload. */
void read_calls(const char *path, int port);

/* The number i of a series that looks like chance: it follows from the series' start and from i alone. */
uint64_t random_number(uint64_t start, unsigned long i);

/* The call that is made as number i, from 0 on: each in turn, or, where the file has a seed, any of them. */
const struct call *call_number(unsigned long i);

/* Connects to the machine with this address (a number), waiting for the workload to listen. If it does not within
 * start_s, or if a call takes longer than call_s, the program ends (give_up). */
void open_connection(const char *address, int port, int start_s, int call_s);

/* Connects again to a workload that has been started anew, without sleeping in between. */
void open_again_awake(void);

/* Lets some time pass, and the other cores of a machine that QEMU simulates in one thread. */
void wait_awake(void);

/* Makes the call, and waits for its answer. */
void call_once(const struct call *call);

/* Compares the last answer with what the call expects; problem says in a line what is wrong with it. */
enum verdict check_answer(const struct call *call, char problem[PROBLEM_MOST]);

/* Method and request, or the last answer (once it is checked), for people. */
void describe_call(const struct call *call, char out[PROBLEM_MOST]);
void describe_answer(const struct call *call, char out[PROBLEM_MOST]);

/* Gives back the window that answers have used, and connects again if the workload has asked for that; between calls
 * only. */
void tidy_connection(void);

/* Defined by the program: says what went wrong (errno, if it is set, says why), and ends. Does not return. */
void give_up(const char *what) __attribute__((noreturn));

#endif
