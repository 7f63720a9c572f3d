/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 (RFC 9112): a body by its length, in chunks, or up to the end of the connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire.h"

enum { LINE_MOST = 8192 };

static uint8_t buffer[1 << 16];
static size_t buffer_at, buffer_end;
static int is_closing;

static void fail_protocol(const char *what)
{
    errno = 0;
    give_up(what);
}

/* The next bytes that came; 0: the connection has ended. */
static size_t fill(void)
{
    if (buffer_at == buffer_end) {
        buffer_at = 0;
        buffer_end = wire_receive(buffer, sizeof buffer);
    }
    return buffer_end - buffer_at;
}

static void read_line(char line[LINE_MOST])
{
    size_t length = 0;
    for (;;) {
        if (!fill()) {
            errno = ECONNRESET;
            give_up("receive");
        }
        char byte = buffer[buffer_at++];
        if (byte == '\n')
            break;
        if (length == LINE_MOST - 1)
            fail_protocol("HTTP/1.1: a line is too long");
        line[length++] = byte;
    }
    if (length && line[length - 1] == '\r')
        length--;
    line[length] = 0;
}

static void take(size_t length)
{
    while (length) {
        size_t n = fill();
        if (!n) {
            errno = ECONNRESET;
            give_up("receive");
        }
        if (n > length)
            n = length;
        take_bytes(buffer + buffer_at, n);
        buffer_at += n;
        length -= n;
    }
}

static void take_chunks(void)
{
    char line[LINE_MOST];
    for (;;) {
        read_line(line);
        char *end;
        size_t length = strtoul(line, &end, 16);
        if (end == line || line[0] == '-')
            fail_protocol("HTTP/1.1: a chunk's length is not a number");
        if (!length)
            break;
        take(length);
        read_line(line);
    }
    do
        read_line(line);
    while (line[0]);
}

static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) || line[length] != ':')
        return NULL;
    return line + length + 1 + strspn(line + length + 1, " \t");
}

/* The length that the head names: -1: none, -2: chunks. */
static long read_head(void)
{
    char line[LINE_MOST];
    const char *value;
    char *end;
    long length = -1;
    read_line(line);
    if (strncmp(line, "HTTP/1.", 7) || strlen(line) < 12)
        fail_protocol("HTTP/1.1: this is not a status line");
    answer.http_status = atoi(line + 9);
    is_closing |= line[7] == '0';
    for (read_line(line); line[0]; read_line(line)) {
        if ((value = value_of(line, "content-length")) && length != -2) {
            length = strtol(value, &end, 10);
            if (end == value || *end || length < 0)
                fail_protocol("HTTP/1.1: the content's length is not a number");
        }
        if ((value = value_of(line, "transfer-encoding")) && !strcasecmp(value, "chunked"))
            length = -2;
        if ((value = value_of(line, "connection")) && !strcasecmp(value, "close"))
            is_closing = 1;
    }
    return length;
}

void http1_open(void)
{
    memset(buffer, 1, sizeof buffer);
    buffer_at = buffer_end = 0;
    is_closing = 0;
    wire_open();
}

void http1_call(const struct call *call)
{
    long length;
    wire_send(call->request.start, call->request.length);
    do
        length = read_head();
    while (answer.http_status / 100 == 1);
    if (answer.http_status == 204 || answer.http_status == 304 || !strcmp(call->method, "HEAD"))
        return;
    if (length >= 0)
        take(length);
    else if (length == -2)
        take_chunks();
    else
        for (is_closing = 1; fill(); buffer_at = buffer_end)
            take_bytes(buffer + buffer_at, buffer_end - buffer_at);
}

void http1_tidy(void)
{
    if (is_closing)
        http1_open();
}
