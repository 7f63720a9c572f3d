/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives a function in the guest: one connection, gRPC over HTTP/2, one call at a time, every answer checked.
 *
 *     invoker CALLS WARM EVENTS
 *
 * CALLS holds one call a line: a name, a space, the answer expected; they are made in turn, over and over.
 * It warms the function by WARM calls and says so on EVENTS. Then it looks again and again whether the machine's
 * firmware carries a plan (item opt/usweep/plan: "E warm measured"): it does once the machine has been
 * restored. From there on nothing is written until the last measured call has ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"

enum { CALLS_MOST = 64, TEXT_MOST = 1024, FRAME_MOST = 16384, WINDOW_STEP = 16384 };
enum { SETTLE_PAUSES = 2000 }; /* lets the function finish what it does after an answer */
enum { FRAME_DATA, FRAME_HEADERS, FRAME_RESET = 3, FRAME_SETTINGS, FRAME_PING = 6, FRAME_GOAWAY, FRAME_WINDOW };
enum { FLAG_END_STREAM = 1, FLAG_ACK = 1, FLAG_END_HEADERS = 4, FLAG_PADDED = 8 };

struct call {
    char name[TEXT_MOST], answer[TEXT_MOST];
};

static struct call calls[CALLS_MOST];
static int call_count;
static int events, connection;
static uint32_t next_stream = 1, unacknowledged;
static uint8_t received[FRAME_MOST], reply[FRAME_MOST];
static size_t reply_length;

static void say(const char *format, ...)
{
    char line[2 * TEXT_MOST];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    for (int sent = 0; sent < length;) {
        ssize_t n = write(events, line + sent, length - sent);
        if (n <= 0)
            exit(2);
        sent += n;
    }
}

static void give_up(const char *what)
{
    say("failed %s: %s", what, errno ? strerror(errno) : "protocol error");
    exit(1);
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void read_calls(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        give_up(path);
    while (call_count < CALLS_MOST &&
           fscanf(file, "%1023s %1023s", calls[call_count].name, calls[call_count].answer) == 2)
        call_count++;
    fclose(file);
    if (!call_count)
        give_up("no calls");
}

/* HTTP/2 frames (RFC 9113, 4.1) */

static void send_all(const uint8_t *bytes, size_t length)
{
    while (length) {
        ssize_t n = send(connection, bytes, length, MSG_NOSIGNAL);
        if (n <= 0)
            give_up("send");
        bytes += n;
        length -= n;
    }
}

/*
 * Waits without sleeping. A restored machine counts instructions; when all its cores sleep, QEMU moves the
 * clock from another thread, and what follows may not be the same in every run. PAUSE makes QEMU turn to the
 * other core at once, so waiting costs little. (While a call is under way, the function's core is awake.)
 */
static void yield_to_function(int times)
{
    while (times--)
        __builtin_ia32_pause();
}

static void receive_all(uint8_t *bytes, size_t length)
{
    while (length) {
        ssize_t n = recv(connection, bytes, length, 0);
        if (n == 0)
            errno = ECONNRESET;
        if (n <= 0)
            give_up("receive");
        bytes += n;
        length -= n;
    }
}

static size_t put_frame(uint8_t *out, int type, int flags, uint32_t stream, const void *payload, size_t length)
{
    uint8_t head[9] = {length >> 16, length >> 8, length, type, flags, stream >> 24, stream >> 16, stream >> 8, stream};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, payload, length);
    return sizeof head + length;
}

static size_t put_text(uint8_t *out, const char *text)
{
    size_t length = strlen(text); /* below 127: one byte of length, no Huffman code */
    out[0] = length;
    memcpy(out + 1, text, length);
    return length + 1;
}

/* The request's header fields (RFC 7541): static table where it has them, literals never indexed elsewhere. */
static size_t put_headers(uint8_t *out)
{
    size_t n = 0;
    out[n++] = 0x83; /* :method POST */
    out[n++] = 0x86; /* :scheme http */
    out[n++] = 0x04; /* :path */
    n += put_text(out + n, "/helloworld.Greeter/SayHello");
    out[n++] = 0x01; /* :authority */
    n += put_text(out + n, "localhost:50051");
    out[n++] = 0x0f; /* content-type: entry 31 = 15 + 16 */
    out[n++] = 0x10;
    n += put_text(out + n, "application/grpc");
    out[n++] = 0x00;
    n += put_text(out + n, "te");
    n += put_text(out + n, "trailers");
    return n;
}

static size_t put_length(uint8_t *out, size_t length)
{
    size_t n = 0;
    for (; length > 127; length >>= 7)
        out[n++] = (length & 127) | 128;
    out[n++] = length;
    return n;
}

/* A gRPC message (flag, length, body) holding a protocol buffer with one string as field 1. */
static size_t put_message(uint8_t *out, const char *text)
{
    size_t length = strlen(text), n = 5;
    out[n++] = 0x0a;
    n += put_length(out + n, length);
    memcpy(out + n, text, length);
    n += length;
    uint32_t size = htonl(n - 5);
    out[0] = 0;
    memcpy(out + 1, &size, 4);
    return n;
}

static void send_request(const char *name, uint32_t stream)
{
    uint8_t out[2 * TEXT_MOST], part[TEXT_MOST + 16];
    size_t n = put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, stream, part, put_headers(part));
    n += put_frame(out + n, FRAME_DATA, FLAG_END_STREAM, stream, part, put_message(part, name));
    send_all(out, n);
}

static void take_data(size_t length, int flags)
{
    size_t start = 0;
    unacknowledged += length;
    if (flags & FLAG_PADDED) {
        if (!length || received[0] + 1u > length)
            give_up("padding");
        start = 1;
        length -= received[0];
    }
    if (reply_length + length - start > sizeof reply)
        give_up("reply too long");
    memcpy(reply + reply_length, received + start, length - start);
    reply_length += length - start;
}

/* Takes one frame; true if it was the last one of the stream, or, for stream 0, the peer's settings. */
static int take_frame(uint32_t stream)
{
    uint8_t head[9], out[32];
    receive_all(head, sizeof head);
    size_t length = head[0] << 16 | head[1] << 8 | head[2];
    uint32_t from = (head[5] & 127u) << 24 | head[6] << 16 | head[7] << 8 | head[8];
    int type = head[3], flags = head[4];
    errno = 0;
    if (length > sizeof received)
        give_up("frame too long");
    receive_all(received, length);
    if (type == FRAME_SETTINGS && !(flags & FLAG_ACK))
        send_all(out, put_frame(out, FRAME_SETTINGS, FLAG_ACK, 0, "", 0));
    if (type == FRAME_PING && !(flags & FLAG_ACK) && length == 8)
        send_all(out, put_frame(out, FRAME_PING, FLAG_ACK, 0, received, 8));
    if (type == FRAME_GOAWAY || type == FRAME_RESET)
        give_up("the function ended the call");
    if (!stream)
        return type == FRAME_SETTINGS && !(flags & FLAG_ACK);
    if (from != stream)
        return 0;
    if (type == FRAME_DATA)
        take_data(length, flags);
    return (type == FRAME_DATA || type == FRAME_HEADERS) && (flags & FLAG_END_STREAM);
}

/* Gives back the window that replies have used, between calls only. */
static void widen_window(void)
{
    uint8_t out[16];
    uint32_t step = htonl(unacknowledged);
    if (unacknowledged < WINDOW_STEP)
        return;
    send_all(out, put_frame(out, FRAME_WINDOW, 0, 0, &step, 4));
    unacknowledged = 0;
}

static void open_connection(void)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(50051)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    uint8_t out[64];
    for (int attempt = 0;; attempt++) {
        connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!connect(connection, (struct sockaddr *)&address, sizeof address))
            break;
        close(connection);
        if (attempt == 6000) /* a minute and more of the guest's time */
            give_up("the function does not listen");
        pause_ms(10);
    }
    size_t n = sizeof preface - 1;
    memcpy(out, preface, n);
    n += put_frame(out + n, FRAME_SETTINGS, 0, 0, "", 0);
    send_all(out, n);
    while (!take_frame(0))
        continue;
}

/* What the reply says, as text; nothing if it is no HelloReply. */
static const char *message(void)
{
    size_t at = 6, length = 0;
    int shift = 0;
    if (reply_length < 7 || reply[0] != 0 || reply[5] != 0x0a)
        return "";
    for (; at < reply_length && reply[at] > 127 && shift < 21; shift += 7)
        length |= (size_t)(reply[at++] & 127) << shift;
    if (at >= reply_length)
        return "";
    length |= (size_t)reply[at++] << shift;
    if (at + length != reply_length || reply_length >= sizeof reply)
        return "";
    reply[reply_length] = 0;
    return (const char *)reply + at;
}

static void check(const struct call *call, const char *phase, int number)
{
    const char *got = message();
    if (!strcmp(got, call->answer))
        return;
    say("wrong %s call %d: SayHello(%.64s) gave '%.200s', not '%.200s'", phase, number, call->name, got, call->answer);
    exit(1);
}

static void call_once(const struct call *call)
{
    uint32_t stream = next_stream;
    next_stream += 2;
    reply_length = 0;
    send_request(call->name, stream);
    while (!take_frame(stream))
        continue;
}

static void warm(int count, const char *phase)
{
    for (int i = 0; i < count; i++) {
        call_once(&calls[i % call_count]);
        check(&calls[i % call_count], phase, i);
        widen_window();
    }
}

static void measure(int count)
{
    for (int i = 0; i < count; i++) {
        const struct call *call = &calls[i % call_count];
        yield_to_function(SETTLE_PAUSES);
        MARK(MARK_INVOCATION_BEGIN);
        call_once(call);
        MARK(MARK_INVOCATION_END);
        check(call, "measured", i);
        widen_window();
    }
}

/* QEMU's firmware configuration device: a selector at port 0x510, data byte by byte at 0x511. */

static void read_item(uint16_t key, uint8_t *bytes, size_t length)
{
    outw(key, 0x510);
    for (size_t i = 0; i < length; i++)
        bytes[i] = inb(0x511);
}

static uint16_t find_plan(void)
{
    uint8_t head[4], entry[64];
    read_item(0x19, head, sizeof head);
    uint32_t count = (uint32_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
    for (uint32_t i = 0; i < count && i < 256; i++) {
        for (size_t at = 0; at < sizeof entry; at++)
            entry[at] = inb(0x511);
        entry[63] = 0;
        if (!strcmp((const char *)entry + 8, "opt/usweep/plan"))
            return entry[4] << 8 | entry[5];
    }
    errno = ENOENT;
    give_up("firmware item opt/usweep/plan");
    return 0;
}

static void await_plan(int *warming, int *measured)
{
    uint8_t text[65] = {0};
    if (ioperm(0x510, 2, 1))
        give_up("ports");
    uint16_t key = find_plan();
    for (;; yield_to_function(1)) {
        read_item(key, text, 1);
        if (text[0] != 'E')
            continue;
        read_item(key, text, 64);
        if (sscanf((const char *)text, "E %d %d", warming, measured) == 2)
            return;
        give_up("the plan cannot be read");
    }
}

int main(int count, char **arguments)
{
    int warming = 0, measured = 0;
    if (count != 4 || (events = open(arguments[3], O_WRONLY | O_NOCTTY | O_CLOEXEC)) < 0)
        return 64;
    read_calls(arguments[1]);
    open_connection();
    say("serving");
    warm(atoi(arguments[2]), "warming");
    say("warmed");
    await_plan(&warming, &measured);
    warm(warming, "second warming");
    measure(measured);
    say("measured");
    for (;;)
        pause();
}
