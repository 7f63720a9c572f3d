/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64 };

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* What is behind a backslash. */
static int is_escape(const char *at)
{
    if (*at == 'u')
        return strspn(at + 1, "0123456789abcdefABCDEF") >= 4;
    return *at && strchr("\"\\/bfnrt", *at);
}

/* All of these take the start of something, and give its end; NULL: it is not there. */

static const char *skip_text(const char *at)
{
    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\' && !is_escape(++at))
            return NULL;
    }
    return at + 1;
}

static const char *skip_digits(const char *at)
{
    size_t count = strspn(at, "0123456789");
    return count ? at + count : NULL;
}

static const char *skip_number(const char *at)
{
    at += *at == '-';
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (at && *at == '.')
        at = skip_digits(at + 1);
    if (at && (*at == 'e' || *at == 'E')) {
        at++;
        at = skip_digits(at + (*at == '+' || *at == '-'));
    }
    return at;
}

static const char *skip_word(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strncmp(at, words[i], strlen(words[i])))
            return at + strlen(words[i]);
    return skip_number(at);
}

static const char *skip_value(const char *at, int depth);

/* The value behind a member's name; NULL: there is none. */
static const char *value_of_member(const char *at)
{
    at = skip_text(at);
    if (!at || *(at = skip_space(at)) != ':')
        return NULL;
    return skip_space(at + 1);
}

static const char *skip_items(const char *at, int depth)
{
    char end = *at == '{' ? '}' : ']';
    int is_object = *at == '{';
    at = skip_space(at + 1);
    if (*at == end)
        return at + 1;
    for (;; at = skip_space(at + 1)) {
        if (is_object)
            at = value_of_member(at);
        if (at)
            at = skip_value(at, depth + 1);
        if (!at)
            return NULL;
        at = skip_space(at);
        if (*at == end)
            return at + 1;
        if (*at != ',')
            return NULL;
    }
}

static const char *skip_value(const char *at, int depth)
{
    if (depth > DEPTH_MOST)
        return NULL;
    if (*at == '{' || *at == '[')
        return skip_items(at, depth);
    return *at == '"' ? skip_text(at) : skip_word(at);
}

int json_is_whole(const char *text)
{
    const char *end = skip_value(skip_space(text), 0);
    return end && !*skip_space(end);
}

/* From here on both documents are known to be whole. */

/* The next character of a text, as its number in Unicode or, where it is not escaped, its next byte in UTF-8: both
 * documents' characters are taken apart into bytes of UTF-8, of which up to four are kept in rest. */
struct text {
    const char *at;
    uint32_t rest;
};

static uint32_t escaped_unit(const char *at)
{
    char digits[5] = {at[0], at[1], at[2], at[3], 0};
    return strtoul(digits, NULL, 16);
}

/* The bytes of a character behind its first go into rest, the next one lowest. */
static int spread(struct text *text, uint32_t character)
{
    int more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    for (int i = 0; i < more; i++) {
        text->rest = text->rest << 8 | 0x80 | (character & 0x3f);
        character >>= 6;
    }
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    return heads[more] | character;
}

static int next_escaped(struct text *text)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *at = text->at;
    if (*at != 'u') {
        text->at++;
        return (unsigned char)values[strchr(names, *at) - names];
    }
    uint32_t unit = escaped_unit(at + 1);
    text->at += 5;
    if (unit >> 10 == 0x36 && at[5] == '\\' && at[6] == 'u' && escaped_unit(at + 7) >> 10 == 0x37) {
        unit = 0x10000 + ((unit & 0x3ff) << 10 | (escaped_unit(at + 7) & 0x3ff));
        text->at += 6;
    }
    return spread(text, unit);
}

/* -1: it has ended. */
static int next_byte(struct text *text)
{
    if (text->rest) {
        int byte = text->rest & 0xff;
        text->rest >>= 8;
        return byte;
    }
    if (*text->at == '"')
        return -1;
    char byte = *text->at++;
    return byte == '\\' ? next_escaped(text) : (unsigned char)byte;
}

static int is_same_text(const char *given, const char *wanted)
{
    struct text a = {given + 1, 0}, b = {wanted + 1, 0};
    int byte;
    do {
        byte = next_byte(&a);
        if (byte != next_byte(&b))
            return 0;
    } while (byte >= 0);
    return 1;
}

/* A number in decimal: 0.d1d2d3... times ten to the power of exponent, without zeros in front or behind. */
struct decimal {
    const char *digits; /* where the first one is; a point may be among them */
    size_t count;
    long exponent;
    int is_negative, is_whole;
};

/* Numbers with an exponent beyond it are not compared: none is the same as another. */
static const long EXPONENT_MOST = 1L << 40;

static struct decimal read_decimal(const char *at)
{
    struct decimal number = {.is_negative = *at == '-', .is_whole = 1};
    size_t seen = 0;
    for (at += number.is_negative; *at == '.' || (*at >= '0' && *at <= '9'); at++) {
        if (*at == '.') {
            number.is_whole = 0;
        } else if (!seen && *at == '0') {
            number.exponent -= !number.is_whole;
        } else {
            number.digits = seen++ ? number.digits : at;
            number.count = *at == '0' ? number.count : seen;
            number.exponent += number.is_whole;
        }
    }
    if (*at == 'e' || *at == 'E') {
        long power = strtol(at + 1, NULL, 10);
        number.is_whole = 0;
        number.exponent += power > EXPONENT_MOST ? EXPONENT_MOST : power < -EXPONENT_MOST ? -EXPONENT_MOST : power;
    }
    if (!number.count)
        number.exponent = number.is_negative = 0;
    return number;
}

static int is_same_decimal(const struct decimal *a, const struct decimal *b)
{
    if (a->count != b->count || a->exponent != b->exponent || a->is_negative != b->is_negative)
        return 0;
    if (labs(a->exponent) >= EXPONENT_MOST / 2)
        return 0;
    const char *one = a->digits, *other = b->digits;
    for (size_t i = 0; i < a->count; i++, one++, other++) {
        one += *one == '.';
        other += *other == '.';
        if (*one != *other)
            return 0;
    }
    return 1;
}

/* Of binary fractions programs print up to 17 digits, or as many as tell one from its neighbours: such are the same if
 * they stand for the same. Whole numbers, and what has more digits or is beyond such fractions, are compared by their
 * digits. */
static int is_same_number(const char *given, const char *wanted)
{
    enum { BINARY_DIGITS = 17 };
    struct decimal a = read_decimal(given), b = read_decimal(wanted);
    if (is_same_decimal(&a, &b))
        return 1;
    if ((a.is_whole && b.is_whole) || a.count > BINARY_DIGITS || b.count > BINARY_DIGITS)
        return 0;
    double x = strtod(given, NULL), y = strtod(wanted, NULL);
    return x == y && x != 0 && isfinite(x);
}

static int is_number(const char *at)
{
    return *at == '-' || (*at >= '0' && *at <= '9');
}

static void enter(char place[JSON_PLACE_MOST], const char *name, int length)
{
    size_t used = strlen(place);
    snprintf(place + used, JSON_PLACE_MOST - used, "%s%.*s", used ? "." : "", length, name);
}

static int has(const char *given, const char *wanted, char *place);

/* The value of the last member with this name, which counts in what reads such documents; NULL: there is none. */
static const char *find_member(const char *object, const char *name)
{
    const char *found = NULL;
    for (const char *at = skip_space(object + 1); *at != '}'; at = skip_space(at + (*at == ','))) {
        if (is_same_text(at, name))
            found = value_of_member(at);
        at = skip_space(skip_value(value_of_member(at), 0));
    }
    return found;
}

static int has_members(const char *given, const char *wanted, char *place)
{
    size_t used = strlen(place);
    for (const char *at = skip_space(wanted + 1); *at != '}'; at = skip_space(at + (*at == ','))) {
        const char *found = find_member(given, at), *value = value_of_member(at);
        enter(place, at + 1, skip_text(at) - at - 2);
        if (!found || !has(found, value, place))
            return 0;
        place[used] = 0;
        at = skip_space(skip_value(value, 0));
    }
    return 1;
}

static int has_elements(const char *given, const char *wanted, char *place)
{
    size_t used = strlen(place);
    char number[16];
    const char *a = skip_space(given + 1), *b = skip_space(wanted + 1);
    for (int i = 0; *a != ']' && *b != ']'; i++) {
        enter(place, number, snprintf(number, sizeof number, "%d", i));
        if (!has(a, b, place))
            return 0;
        place[used] = 0;
        a = skip_space(skip_value(a, 0));
        b = skip_space(skip_value(b, 0));
        a = skip_space(a + (*a == ','));
        b = skip_space(b + (*b == ','));
    }
    return *a == *b;
}

static int has(const char *given, const char *wanted, char *place)
{
    if (is_number(given) && is_number(wanted))
        return is_same_number(given, wanted);
    if (*given != *wanted)
        return 0;
    if (*wanted == '{')
        return has_members(given, wanted, place);
    if (*wanted == '[')
        return has_elements(given, wanted, place);
    return *wanted != '"' || is_same_text(given, wanted);
}

enum json_verdict json_has(const char *given, const char *wanted, char place[JSON_PLACE_MOST])
{
    place[0] = 0;
    if (!json_is_whole(given) || !json_is_whole(wanted))
        return JSON_DAMAGED;
    return has(skip_space(given), skip_space(wanted), place) ? JSON_SAME : JSON_DIFFERENT;
}
