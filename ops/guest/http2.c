/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2 and gRPC by nghttp2, which gets its memory from an arena of ours: nothing is allocated from the system once
 * the connection is open.
 */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum { ARENA = 8 << 20, SMALLEST_SHIFT = 5, CLASSES = 16, WINDOW = 1 << 30, OUT_MOST = 1 << 16 };

static nghttp2_session *session;
static int32_t stream;
static int has_settings, is_done, is_leaving;
static size_t unacknowledged;
static uint8_t received[1 << 16], sent[OUT_MOST];
static const struct call *current;
static size_t body_at;

/*
 * Memory: blocks of 32 bytes and their doubles, with a free list each; the class stands before a block.
 */
static _Alignas(16) uint8_t arena[ARENA];
static size_t arena_used;
static void *free_blocks[CLASSES];

static void *take_block(size_t length, void *user)
{
    int class = 0;
    (void)user;
    while (class < CLASSES && ((size_t)1 << (class + SMALLEST_SHIFT)) < length + 16)
        class++;
    if (class == CLASSES)
        return NULL;
    size_t size = (size_t)1 << (class + SMALLEST_SHIFT);
    uint8_t *block = free_blocks[class];
    if (block)
        memcpy(&free_blocks[class], block + 16, sizeof(void *));
    else if (size > ARENA - arena_used)
        return NULL;
    else {
        block = arena + arena_used;
        arena_used += size;
    }
    block[0] = class;
    return block + 16;
}

static void give_block(void *start, void *user)
{
    (void)user;
    if (!start)
        return;
    uint8_t *block = (uint8_t *)start - 16;
    memcpy(start, &free_blocks[block[0]], sizeof(void *));
    free_blocks[block[0]] = block;
}

static void *take_zeroes(size_t count, size_t length, void *user)
{
    void *start = length && count > SIZE_MAX / length ? NULL : take_block(count * length, user);
    return start ? memset(start, 0, count * length) : NULL;
}

static void *resize_block(void *start, size_t length, void *user)
{
    void *larger = take_block(length, user);
    if (!start || !larger)
        return larger;
    size_t held = ((size_t)1 << (((uint8_t *)start - 16)[0] + SMALLEST_SHIFT)) - 16;
    memcpy(larger, start, held < length ? held : length);
    give_block(start, user);
    return larger;
}

static nghttp2_mem memory = {NULL, take_block, give_block, take_zeroes, resize_block};

static void give_up_about(const char *what, int code)
{
    static char text[128];
    errno = 0;
    snprintf(text, sizeof text, "%s: %s", what, nghttp2_strerror(code));
    give_up(text);
}

/* What nghttp2 calls. */

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t length, uint8_t flags, void *user)
{
    char text[sizeof answer.grpc_message];
    (void)s, (void)flags, (void)user;
    if (frame->hd.stream_id != stream)
        return 0;
    if (length > sizeof text - 1)
        length = sizeof text - 1;
    memcpy(text, value, length);
    text[length] = 0;
    if (name_length == 7 && !memcmp(name, ":status", 7))
        answer.http_status = atoi(text);
    else if (name_length == 11 && !memcmp(name, "grpc-status", 11))
        answer.grpc_status = atoi(text);
    else if (name_length == 12 && !memcmp(name, "grpc-message", 12))
        strcpy(answer.grpc_message, text);
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *bytes, size_t length, void *user)
{
    (void)s, (void)flags, (void)user;
    unacknowledged += length;
    if (id == stream)
        take_bytes(bytes, length);
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *user)
{
    (void)s, (void)user;
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        has_settings = 1;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        is_leaving = 1;
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t code, void *user)
{
    static char text[64];
    (void)s, (void)user;
    if (id != stream)
        return 0;
    is_done = 1;
    /* An answer that is complete may be followed by a reset without an error (RFC 9113, 8.1). */
    if (code != NGHTTP2_NO_ERROR && answer.grpc_status < 0) {
        errno = 0;
        snprintf(text, sizeof text, "the function ended the call: %s", nghttp2_http2_strerror(code));
        give_up(text);
    }
    return 0;
}

static ssize_t give_body(nghttp2_session *s, int32_t id, uint8_t *out, size_t most, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    size_t rest = current->request.length - body_at;
    (void)s, (void)id, (void)source, (void)user;
    if (most > rest)
        most = rest;
    memcpy(out, current->request.start + body_at, most);
    body_at += most;
    if (body_at == current->request.length)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return most;
}

/* Everything that is to be sent, in as few packets as may be. */
static void send_pending(void)
{
    const uint8_t *part;
    size_t gathered = 0;
    for (ssize_t n; (n = nghttp2_session_mem_send(session, &part)) != 0;) {
        if (n < 0)
            give_up_about("HTTP/2", n);
        if ((size_t)n > OUT_MOST - gathered) {
            wire_send(sent, gathered);
            gathered = 0;
        }
        if (n > OUT_MOST)
            wire_send(part, n);
        else {
            memcpy(sent + gathered, part, n);
            gathered += n;
        }
    }
    wire_send(sent, gathered);
}

static void receive_some(void)
{
    size_t length = wire_receive(received, sizeof received);
    if (!length) {
        errno = ECONNRESET;
        give_up("receive");
    }
    ssize_t n = nghttp2_session_mem_recv(session, received, length);
    if (n < 0)
        give_up_about("HTTP/2", n);
    send_pending();
    if (!is_done && !nghttp2_session_want_read(session)) {
        errno = 0;
        give_up("HTTP/2: the function broke the protocol");
    }
}

static void start_session(void)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4 * ANSWER_MOST}};
    if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
        give_up("memory");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_set_no_auto_window_update(option, 1);
    int code = nghttp2_session_client_new3(&session, callbacks, NULL, option, &memory);
    if (!code)
        code = nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
    if (!code)
        code = nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW);
    if (code)
        give_up_about("HTTP/2", code);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
}

void http2_open(void)
{
    if (!session) {
        /* The pages are there from now on. */
        memset(arena, 1, sizeof arena);
        memset(received, 1, sizeof received);
        memset(sent, 1, sizeof sent);
    }
    nghttp2_session_del(session);
    has_settings = is_leaving = is_done = 0;
    unacknowledged = 0;
    wire_open();
    start_session();
    send_pending();
    while (!has_settings)
        receive_some();
}

static nghttp2_nv field(const char *name, const char *value)
{
    enum { KEPT = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), KEPT};
}

void http2_call(const struct call *call)
{
    nghttp2_nv fields[7];
    nghttp2_data_provider body = {.read_callback = give_body};
    size_t count = 0;
    fields[count++] = field(":method", call->method);
    fields[count++] = field(":scheme", "http");
    fields[count++] = field(":path", call->path);
    fields[count++] = field(":authority", "localhost");
    if (call->type)
        fields[count++] = field("content-type", call->type);
    if (call->kind == CALL_GRPC)
        fields[count++] = field("te", "trailers");
    current = call;
    body_at = 0;
    is_done = 0;
    stream = nghttp2_submit_request(session, NULL, fields, count, call->request.length ? &body : NULL, NULL);
    if (stream < 0)
        give_up_about("HTTP/2", stream);
    send_pending();
    while (!is_done)
        receive_some();
}

void http2_tidy(void)
{
    if (is_leaving) {
        http2_open();
        return;
    }
    nghttp2_session_consume_connection(session, unacknowledged);
    unacknowledged = 0;
    send_pending();
}
