/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLOCK_STEP = 64 };

static struct sockaddr_in peer = {.sin_family = AF_INET};
static int connection = -1, start_patience, patience, is_http1;
static unsigned receives;
static time_t call_ends;
static int waits_awake;
struct answer answer;

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Where instructions are time, and each turn to another core costs the host a thousand of them, many that do nothing are
 * the cheapest way to wait. */
void wait_awake(void)
{
    __asm__ volatile(".rept 2000\n\tnop\n\t.endr");
    __builtin_ia32_pause();
}

static void yield_awake(void)
{
    sched_yield();
    wait_awake();
}

static void fail_late(void)
{
    errno = 0;
    give_up("timeout: no answer in time");
}

static void start_clock(void)
{
    receives = 0;
    call_ends = 0;
}

/*
 * Silence is found by the socket's own limit. Only a call of many parts looks at the clock, which may be a system call:
 * the usual one does not.
 */
static int is_late(void)
{
    if (++receives % CLOCK_STEP)
        return 0;
    if (!call_ends)
        call_ends = now() + patience;
    return now() > call_ends;
}

static void clear_answer(void)
{
    answer.http_status = answer.grpc_status = -1;
    answer.grpc_message[0] = 0;
    answer.length = 0;
}

void wire_send(const void *bytes, size_t length)
{
    const uint8_t *rest = bytes;
    while (length) {
        ssize_t n = send(connection, rest, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            fail_late();
        if (n <= 0)
            give_up("send");
        rest += n;
        length -= n;
    }
}

size_t wire_receive(void *bytes, size_t most)
{
    ssize_t n = recv(connection, bytes, most, 0);
    if (n < 0 && errno != EAGAIN)
        give_up("receive");
    if (n < 0 || is_late())
        fail_late();
    return n;
}

void take_bytes(const uint8_t *bytes, size_t length)
{
    if (length > ANSWER_MOST - answer.length) {
        errno = EMSGSIZE;
        give_up("answer");
    }
    memcpy(answer.bytes + answer.length, bytes, length);
    answer.length += length;
}

/* An attempt at a machine that is not there yet takes seconds, at one that does not listen yet no time. */
void wire_open(void)
{
    time_t end = now() + start_patience;
    struct timeval limit = {.tv_sec = patience};
    int on = 1;
    for (;;) {
        if (connection >= 0)
            close(connection);
        connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!connect(connection, (struct sockaddr *)&peer, sizeof peer))
            break;
        if (now() > end)
            give_up("the function does not listen");
        if (waits_awake)
            yield_awake();
        else
            pause_ms(10);
    }
    /* As all of gRPC does: a call must not wait for the other side to acknowledge what went before it. */
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void open_connection(const char *address, int port, int start_s, int call_s)
{
    if (!inet_aton(address, &peer.sin_addr))
        give_up("no address");
    peer.sin_port = htons(port);
    start_patience = start_s;
    patience = call_s;
    memset(&answer, 0, sizeof answer); /* its pages are there from now on */
    is_http1 = calls[0].kind == CALL_HTTP1;
    start_clock();
    if (is_http1)
        http1_open();
    else
        http2_open();
}

void open_again_awake(void)
{
    waits_awake = 1;
    start_clock();
    if (is_http1)
        http1_open();
    else
        http2_open();
    waits_awake = 0;
}

void call_once(const struct call *call)
{
    start_clock();
    clear_answer();
    if (is_http1)
        http1_call(call);
    else
        http2_call(call);
}

void tidy_connection(void)
{
    start_clock();
    if (is_http1)
        http1_tidy();
    else
        http2_tidy();
}
