/* SPDX-License-Identifier: Apache-2.0
 *
 * Compares documents in JSON. Only calls use this, between calls; it sets aside no memory.
 */
#ifndef USWEEP_JSON_H
#define USWEEP_JSON_H

#include <stddef.h>

enum { JSON_PLACE_MOST = 160 };

enum json_verdict { JSON_SAME, JSON_DIFFERENT, JSON_DAMAGED };

/*
 * Whether all that the document wanted has is in the document given: members of objects, which may have others beside
 * them, all elements of lists in their order, and the same texts, numbers and words. Both end with a zero byte. place
 * is where they differ, as in hotels.0.name; empty: at the top.
 */
enum json_verdict json_has(const char *given, const char *wanted, char place[JSON_PLACE_MOST]);

/* Whether it is one document, and nothing else. */
int json_is_whole(const char *text);

#endif
