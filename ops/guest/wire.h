/* SPDX-License-Identifier: Apache-2.0
 *
 * What the protocols have in common: a connection, whose time for a call is limited. Only calls use this.
 */
#ifndef USWEEP_WIRE_H
#define USWEEP_WIRE_H

#include "calls.h"

/* Connects (again). */
void wire_open(void);

/* Sends everything. */
void wire_send(const void *bytes, size_t length);

/* Waits for bytes; 0 means that the other side has closed. */
size_t wire_receive(void *bytes, size_t most);

/* Appends to the answer. */
void take_bytes(const uint8_t *bytes, size_t length);

void http2_open(void);
void http2_call(const struct call *call);
void http2_tidy(void);

void http1_open(void);
void http1_call(const struct call *call);
void http1_tidy(void);

#endif
