/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_MOST = 4096, SHOWN_MOST = 160, GRPC_PREFIX = 5 };

struct call *calls;
int call_count;
static uint64_t seed;
static int is_seeded;

static void fail_line(const char *path, int line, const char *what)
{
    static char text[256];
    errno = 0;
    snprintf(text, sizeof text, "%s:%d: %s", path, line, what);
    give_up(text);
}

static void *reserve(size_t length)
{
    void *start = calloc(1, length + 1);
    if (!start)
        give_up("memory");
    return start;
}

/* Bytes in hexadecimal after so many bytes that are left free; "-" means none. */
static int decode(const char *text, size_t free_bytes, struct bytes *out)
{
    size_t length = strcmp(text, "-") ? strlen(text) : 0;
    if (length % 2 || strspn(text, "0123456789abcdefABCDEF") < length)
        return 0;
    out->length = free_bytes + length / 2;
    out->start = reserve(out->length);
    for (size_t i = 0; i < length / 2; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], 0};
        out->start[free_bytes + i] = strtoul(digits, NULL, 16);
    }
    return 1;
}

/* A gRPC message on the wire has a flag and its length in front. */
static void fill_prefix(struct bytes *message)
{
    size_t length = message->length - GRPC_PREFIX;
    for (int i = 1; i < GRPC_PREFIX; i++)
        message->start[i] = length >> 8 * (4 - i);
}

static void add_head(struct call *call, int port)
{
    char head[4096];
    struct bytes body = call->request;
    const char *form = "%s %s HTTP/1.1\r\nHost: localhost:%d\r\n%s%s%sContent-Length: %zu\r\n\r\n";
    int length = snprintf(head, sizeof head, form, call->method, call->path, port,
                          call->type ? "Content-Type: " : "", call->type ? call->type : "", call->type ? "\r\n" : "",
                          body.length);
    if (length >= (int)sizeof head)
        give_up("the head of a request is too long");
    call->request.length = length + body.length;
    call->request.start = reserve(call->request.length);
    memcpy(call->request.start, head, length);
    memcpy(call->request.start + length, body.start, body.length);
    free(body.start);
}

/* grpc PATH BODY, or http1|http2 METHOD PATH TYPE BODY; what is wrong, or NULL. */
static const char *read_request(char *kind, char **rest, int port, struct call *call)
{
    int is_grpc = !strcmp(kind, "grpc"), is_http1 = !strcmp(kind, "http1");
    if (!is_grpc && !is_http1 && strcmp(kind, "http2"))
        return "a line begins with grpc, http1 or http2";
    char *method = is_grpc ? "POST" : strtok_r(NULL, " ", rest), *path = strtok_r(NULL, " ", rest);
    char *type = is_grpc ? "application/grpc" : strtok_r(NULL, " ", rest), *body = strtok_r(NULL, " ", rest);
    if (!method || !path || path[0] != '/' || !type || !body)
        return "a request is incomplete";
    call->kind = is_grpc ? CALL_GRPC : is_http1 ? CALL_HTTP1 : CALL_HTTP2;
    call->method = method;
    call->path = path;
    call->type = strcmp(type, "-") ? type : NULL;
    if (!decode(body, is_grpc ? GRPC_PREFIX : 0, &call->request))
        return "a body is not hexadecimal";
    if (is_grpc)
        fill_prefix(&call->request);
    if (is_http1)
        add_head(call, port);
    return NULL;
}

static const char *read_rule(char **rest, struct call *call)
{
    char *rule = strtok_r(NULL, " ", rest), *value = strtok_r(NULL, " ", rest), *end;
    if (!rule || !value || strtok_r(NULL, " ", rest))
        return "a request ends with a rule and its value";
    if (!strcmp(rule, "any"))
        call->rule = EXPECT_ANY;
    else if (!strcmp(rule, "status")) {
        call->rule = EXPECT_STATUS;
        call->status = strtol(value, &end, 10);
        return *end ? "a status is not a number" : NULL;
    } else if (!strcmp(rule, "bytes"))
        call->rule = EXPECT_BYTES;
    else if (!strcmp(rule, "matches"))
        call->rule = EXPECT_MATCH;
    else if (!strcmp(rule, "json"))
        call->rule = EXPECT_JSON;
    else
        return "a rule is bytes, matches, json, status or any";
    if (!decode(value, 0, &call->expected))
        return "an answer is not hexadecimal";
    if (call->rule == EXPECT_MATCH && regcomp(&call->pattern, (char *)call->expected.start, REG_EXTENDED | REG_NOSUB))
        return "a pattern is not a regular expression";
    if (call->rule == EXPECT_JSON && !json_is_whole((char *)call->expected.start))
        return "an answer is not JSON";
    return NULL;
}

/* splitmix64 */
uint64_t random_number(uint64_t start, unsigned long i)
{
    uint64_t x = start + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

const struct call *call_number(unsigned long i)
{
    return &calls[(is_seeded ? random_number(seed, i) : i) % call_count];
}

static const char *read_seed(char **rest)
{
    char *value = strtok_r(NULL, " ", rest), *end;
    if (!value || strtok_r(NULL, " ", rest) || call_count)
        return "seed goes with one number, before the first request";
    seed = strtoull(value, &end, 10);
    is_seeded = 1;
    return *end ? "a seed is not a number" : NULL;
}

static void read_line(const char *path, int number, char *line, int port)
{
    char *rest, *word = strtok_r(line, " ", &rest);
    if (!word || word[0] == '#')
        return;
    if (!strcmp(word, "seed")) {
        const char *wrong = read_seed(&rest);
        if (wrong)
            fail_line(path, number, wrong);
        return;
    }
    if (call_count == CALLS_MOST)
        fail_line(path, number, "a file has 4096 requests at most");
    struct call *call = &calls[call_count++];
    const char *wrong = read_request(word, &rest, port, call);
    if (!wrong)
        wrong = read_rule(&rest, call);
    if (!wrong && (call->kind == CALL_HTTP1) != (calls[0].kind == CALL_HTTP1))
        wrong = "http1 goes with no other kind of request";
    if (wrong)
        fail_line(path, number, wrong);
}

void read_calls(const char *path, int port)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file)
        give_up(path);
    calls = reserve(CALLS_MOST * sizeof *calls);
    for (int number = 1; getline(&line, &room, file) > 0; number++) {
        line[strcspn(line, "\r\n")] = 0;
        if (number > 1)
            read_line(path, number, strdup(line), port);
        else if (strcmp(line, "usweep-calls 1"))
            fail_line(path, number, "the first line is not: usweep-calls 1");
    }
    free(line);
    fclose(file);
    errno = 0;
    if (!call_count)
        give_up("there are no requests");
}

int port_of_workload(void)
{
    const char *text = getenv("USWEEP_PORT");
    int port = text ? atoi(text) : 50051;
    errno = 0;
    if (port < 1 || port > 65535)
        give_up("USWEEP_PORT is not a port");
    return port;
}

/* Checking */

/* A message of protocol buffers that is one text with the field number 1 is that text. */
static struct bytes text_of_message(struct bytes message)
{
    size_t at = 1, said = 0;
    if (message.length < 2 || message.start[0] != 0x0a)
        return message;
    for (int shift = 0; at < message.length && shift < 28; shift += 7) {
        said |= (size_t)(message.start[at] & 127) << shift;
        if (message.start[at++] < 128)
            break;
    }
    if (said != message.length - at)
        return message;
    return (struct bytes){message.start + at, said};
}

/* As text, with what cannot be printed as dots. */
static const char *shown(const uint8_t *bytes, size_t length, int is_grpc, char out[SHOWN_MOST + 4])
{
    struct bytes text = {(uint8_t *)bytes, length};
    if (is_grpc)
        text = text_of_message(text);
    size_t n = text.length < SHOWN_MOST ? text.length : SHOWN_MOST;
    for (size_t i = 0; i < n; i++)
        out[i] = isprint(text.start[i]) ? text.start[i] : '.';
    strcpy(out + n, text.length > n ? "..." : "");
    return out;
}

void describe_call(const struct call *call, char out[PROBLEM_MOST])
{
    char text[SHOWN_MOST + 4];
    int is_grpc = call->kind == CALL_GRPC;
    const char *name = is_grpc ? strrchr(call->path, '/') + 1 : call->path;
    const struct bytes *sent = &call->request;
    size_t head = is_grpc ? GRPC_PREFIX : call->kind == CALL_HTTP1 ? sent->length : 0;
    snprintf(out, PROBLEM_MOST, "%.64s(%.64s)", name, shown(sent->start + head, sent->length - head, is_grpc, text));
}

void describe_answer(const struct call *call, char out[PROBLEM_MOST])
{
    char text[SHOWN_MOST + 4];
    snprintf(out, PROBLEM_MOST, "%s", shown(answer.bytes, answer.length, call->kind == CALL_GRPC, text));
}

/* Takes the prefix off a gRPC answer; 0: it is not one message. */
static int open_message(void)
{
    size_t length = 0;
    if (answer.length < GRPC_PREFIX || answer.bytes[0])
        return 0;
    for (int i = 1; i < GRPC_PREFIX; i++)
        length = length << 8 | answer.bytes[i];
    if (length != answer.length - GRPC_PREFIX)
        return 0;
    memmove(answer.bytes, answer.bytes + GRPC_PREFIX, length);
    answer.length = length;
    return 1;
}

/* What is wrong with an answer in JSON, as the end of a sentence; NULL: nothing. */
static const char *json_problem(const struct call *call)
{
    static char problem[JSON_PLACE_MOST + 32];
    char place[JSON_PLACE_MOST];
    struct bytes text = {answer.bytes, answer.length};
    if (call->kind == CALL_GRPC)
        text = text_of_message(text);
    if (memchr(text.start, 0, text.length))
        return "which is not JSON";
    switch (json_has((char *)text.start, (char *)call->expected.start, place)) {
    case JSON_SAME: return NULL;
    case JSON_DAMAGED: return "which is not JSON";
    case JSON_DIFFERENT: break;
    }
    snprintf(problem, sizeof problem, "which differs%s%s", place[0] ? " at " : "", place);
    return problem;
}

static int is_as_expected(const struct call *call)
{
    answer.bytes[answer.length] = 0;
    if (call->rule == EXPECT_BYTES)
        return answer.length == call->expected.length &&
               !memcmp(answer.bytes, call->expected.start, answer.length);
    if (call->rule == EXPECT_ANY)
        return 1;
    /* The field numbers and lengths of a message may hold zero bytes: a pattern sees dots. */
    for (size_t i = 0; i < answer.length; i++)
        if (!answer.bytes[i])
            answer.bytes[i] = '.';
    return !regexec(&call->pattern, (char *)answer.bytes, 0, NULL, 0);
}

enum verdict check_answer(const struct call *call, char problem[PROBLEM_MOST])
{
    char name[PROBLEM_MOST], got[SHOWN_MOST + 4], wanted[SHOWN_MOST + 4];
    int is_grpc = call->kind == CALL_GRPC, status = is_grpc ? answer.grpc_status : answer.http_status;
    int expected = call->rule == EXPECT_STATUS ? call->status : is_grpc ? 0 : 200;
    describe_call(call, name);
    if ((is_grpc && answer.http_status != 200) || status != expected) {
        snprintf(problem, PROBLEM_MOST, "%.140s gave status %d%s%s%s (HTTP %d), not %d", name, status,
                 answer.grpc_message[0] ? " '" : "", answer.grpc_message, answer.grpc_message[0] ? "'" : "",
                 answer.http_status, expected);
        return VERDICT_STATUS;
    }
    if (call->rule == EXPECT_STATUS)
        return VERDICT_RIGHT;
    if (is_grpc && !open_message()) {
        snprintf(problem, PROBLEM_MOST, "%.140s gave %zu bytes that are not one message", name, answer.length);
        return VERDICT_WRONG;
    }
    if (call->rule == EXPECT_JSON) {
        answer.bytes[answer.length] = 0;
        const char *wrong = json_problem(call);
        if (!wrong)
            return VERDICT_RIGHT;
        snprintf(problem, PROBLEM_MOST, "%.140s gave '%s', %.160s", name,
                 shown(answer.bytes, answer.length, is_grpc, got), wrong);
        return VERDICT_WRONG;
    }
    if (is_as_expected(call))
        return VERDICT_RIGHT;
    snprintf(problem, PROBLEM_MOST, "%.140s gave '%s', not '%s'", name,
             shown(answer.bytes, answer.length, is_grpc, got),
             shown(call->expected.start, call->expected.length, is_grpc && call->rule == EXPECT_BYTES, wanted));
    return VERDICT_WRONG;
}
