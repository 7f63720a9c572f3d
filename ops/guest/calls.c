/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 300 }; /* the guest's: a machine may have to boot first, on a host that has much to do */
enum { FRAME_MOST = 16384, WINDOW_STEP = 16384 };
enum { FRAME_DATA, FRAME_HEADERS, FRAME_RESET = 3, FRAME_SETTINGS, FRAME_PING = 6, FRAME_GOAWAY, FRAME_WINDOW };
enum { FLAG_END_STREAM = 1, FLAG_ACK = 1, FLAG_END_HEADERS = 4, FLAG_PADDED = 8 };

struct call calls[CALLS_MOST];
int call_count;
static int connection;
static uint32_t next_stream = 1, unacknowledged;
static uint8_t received[FRAME_MOST], reply[FRAME_MOST];
static size_t reply_length;

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

void read_calls(const char *path)
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

void widen_window(void)
{
    uint8_t out[16];
    uint32_t step = htonl(unacknowledged);
    if (unacknowledged < WINDOW_STEP)
        return;
    send_all(out, put_frame(out, FRAME_WINDOW, 0, 0, &step, 4));
    unacknowledged = 0;
}

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* An attempt at a machine that is not there yet takes seconds, at one that does not listen yet no time. */
static void connect_to(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(50051)};
    time_t end = now() + PATIENCE_S;
    int on = 1;
    if (!inet_aton(text, &address.sin_addr))
        give_up("no address");
    for (;;) {
        connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!connect(connection, (struct sockaddr *)&address, sizeof address))
            break;
        close(connection);
        if (now() > end)
            give_up("the function does not listen");
        pause_ms(10);
    }
    /* As all of gRPC does: a call must not wait for the other side to acknowledge what went before it. */
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void open_connection(const char *address)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    uint8_t out[64];
    connect_to(address);
    size_t n = sizeof preface - 1;
    memcpy(out, preface, n);
    n += put_frame(out + n, FRAME_SETTINGS, 0, 0, "", 0);
    send_all(out, n);
    while (!take_frame(0))
        continue;
}

const char *message(void)
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

void call_once(const struct call *call)
{
    uint32_t stream = next_stream;
    next_stream += 2;
    reply_length = 0;
    send_request(call->name, stream);
    while (!take_frame(stream))
        continue;
}
