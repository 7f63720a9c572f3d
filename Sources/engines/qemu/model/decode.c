/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decode.h"

#include "marks.h"

#include <stdbool.h>
#include <string.h>

static bool is_prefix(uint8_t byte)
{
    switch (byte) {
    case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x66: case 0x67:
    case 0xf0: case 0xf2: case 0xf3:
        return true;
    default:
        return byte >= 0x40 && byte <= 0x4f; /* REX */
    }
}

static struct instruction branch(const uint8_t *distance, size_t length)
{
    struct instruction result = {.kind = INSTRUCTION_BRANCH};
    int32_t wide;
    if (length == 4)
        memcpy(&wide, distance, 4);
    else
        wide = (int8_t)distance[0];
    result.distance = wide;
    return result;
}

static struct instruction decode_two_byte(const uint8_t *bytes, size_t length)
{
    struct instruction plain = {.kind = INSTRUCTION_PLAIN};
    uint8_t code = bytes[0], operand = length > 1 ? bytes[1] : 0;
    unsigned field = operand >> 3 & 7;
    if (code >= 0x80 && code <= 0x8f && length == 5)
        return branch(bytes + 1, 4);
    if (code == 0x22 && field == 3)
        return (struct instruction){.kind = INSTRUCTION_FLUSH_USER};
    if (code == 0x22 && field == 4)
        return (struct instruction){.kind = INSTRUCTION_FLUSH_ALL};
    if (code == 0x01 && field == 7 && operand < 0xc0)
        return (struct instruction){.kind = INSTRUCTION_FLUSH_USER};
    if (code == 0x01 && operand == 0xf8)
        return (struct instruction){.kind = INSTRUCTION_CROSSING};
    if (code == 0x20 && field == 2)
        return (struct instruction){.kind = INSTRUCTION_FAULT};
    if (code == 0x05)
        return (struct instruction){.kind = INSTRUCTION_SYSTEM_CALL};
    return plain;
}

static bool decode_mark(const uint8_t *bytes, size_t length, unsigned *mark)
{
    static const uint8_t prefix[MARK_PREFIX_BYTES] = {0x0f, 0x1f, 0x84, 0x00};
    uint32_t displacement;
    if (length != MARK_LENGTH || memcmp(bytes, prefix, sizeof prefix))
        return false;
    memcpy(&displacement, bytes + MARK_PREFIX_BYTES, 4);
    *mark = displacement & 0xff;
    return (displacement & ~0xffu) == MARK_SIGNATURE;
}

/* REX.W 8b /4 with rsi as its base, and neither register an extended one. */
static bool is_switch(const uint8_t *bytes, size_t length)
{
    return length > 2 && bytes[0] == 0x48 && bytes[1] == 0x8b && (bytes[2] & 0x3f) == 0x26 && bytes[2] < 0xc0;
}

struct instruction decode(const uint8_t *bytes, size_t length)
{
    struct instruction result = {.kind = INSTRUCTION_PLAIN};
    if (decode_mark(bytes, length, &result.mark)) {
        result.kind = INSTRUCTION_MARK;
        return result;
    }
    if (is_switch(bytes, length)) {
        result.kind = INSTRUCTION_SWITCH;
        return result;
    }
    while (length && is_prefix(*bytes)) {
        bytes++;
        length--;
    }
    if (length == 2 && ((bytes[0] & 0xf0) == 0x70 || (bytes[0] & 0xfc) == 0xe0))
        return branch(bytes + 1, 1);
    if (length > 1 && bytes[0] == 0x0f)
        return decode_two_byte(bytes + 1, length - 1);
    if (length == 1 && bytes[0] == 0xf4)
        result.kind = INSTRUCTION_HALT;
    return result;
}
