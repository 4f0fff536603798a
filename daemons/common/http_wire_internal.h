/* SPDX-License-Identifier: Apache-2.0 */
/* Between the wire's connections (http_wire.c) and what goes over them (http_wire_call.c). */
#ifndef COMMON_HTTP_WIRE_INTERNAL_H
#define COMMON_HTTP_WIRE_INTERNAL_H

#include "http_wire.h"

/* What becomes of a call after some bytes of its answer. */
enum wire_progress {
    WIRE_MORE,   /* it waits for more */
    WIRE_WHOLE,  /* the answer is complete */
    WIRE_PAUSED, /* its reader wants no more now */
    WIRE_BROKEN, /* it has failed, as its answer tells */
};

/* Bytes of the answer; none where those that were left are to be looked at again. *ret_used: how many of them belonged
 * to it. */
enum wire_progress wire_call_take(struct wire_call *call, const char *bytes, size_t length, size_t *ret_used);
/* The peer sends no more. */
enum wire_progress wire_call_closed(struct wire_call *call);

#endif
