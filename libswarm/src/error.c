/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

struct swarm_error {
    int code;
    const char *message; /* behind this struct, in the same allocation */
};

/* Handed out where an error cannot be allocated. Never written, and releasing it does nothing. */
static struct swarm_error out_of_memory = {SWARM_ERR_NOMEM, "out of memory"};

const char *swarm_version(void)
{
    return SWARM_VERSION;
}

const char *swarm_strerror(int code)
{
    switch (code) {
    case 0:
        return "success";
#define ERROR_TEXT(name, number, text)                                                                                 \
    case name:                                                                                                         \
        return text;
        SWARM_ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
    default:
        return "unknown error";
    }
}

int swarm_error_code(const struct swarm_error *error)
{
    return error ? error->code : 0;
}

const char *swarm_error_message(const struct swarm_error *error)
{
    return error ? error->message : swarm_strerror(0);
}

void swarm_error_free(struct swarm_error *error)
{
    if (error != &out_of_memory)
        swarm__free(error);
}

/* One allocation for both; NULL where there is no memory. */
static struct swarm_error *error_alloc(int code, size_t length, char **ret_text)
{
    struct swarm_error *error = swarm__malloc(sizeof(*error) + length + 1);
    if (!error)
        return NULL;
    *ret_text = (char *)(error + 1);
    error->code = code;
    error->message = *ret_text;
    return error;
}

static int error_set(struct swarm_error **reterr, int code, const char *format, va_list args) SWARM_PRINTF(3, 0);
static int error_set(struct swarm_error **reterr, int code, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = NULL;
    struct swarm_error *error = length < 0 ? NULL : error_alloc(code, (size_t)length, &text);
    if (error)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    *reterr = error ? error : &out_of_memory;
    return error ? code : SWARM_ERR_NOMEM;
}

int swarm__error_set(struct swarm_error **reterr, int code, const char *format, ...)
{
    if (!reterr)
        return code;
    va_list args;
    va_start(args, format);
    code = error_set(reterr, code, format, args);
    va_end(args);
    return code;
}

bool swarm__error_is_code(int code)
{
    switch (code) {
#define CODE_CASE(name, number, text) case name:
        SWARM_ERROR_LIST(CODE_CASE)
#undef CODE_CASE
        return true;
    default:
        return false;
    }
}

int swarm_error_new(struct swarm_error **reterr, int code, const char *format, ...)
{
    if (!swarm__error_is_code(code))
        code = SWARM_ERR_INVALID;
    if (!reterr)
        return code;
    if (!format)
        return swarm__error_set(reterr, code, "%s", swarm_strerror(code));
    va_list args;
    va_start(args, format);
    code = error_set(reterr, code, format, args);
    va_end(args);
    return code;
}

int swarm__error_nomem(struct swarm_error **reterr)
{
    if (reterr)
        *reterr = &out_of_memory;
    return SWARM_ERR_NOMEM;
}

int swarm__error_prefix(struct swarm_error **reterr, const char *format, ...)
{
    if (!reterr || !*reterr)
        return SWARM_ERR_INVALID;
    struct swarm_error *old = *reterr;
    int code = old->code;
    if (old == &out_of_memory)
        return code;
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int what = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t rest = strlen(old->message);
    char *text = NULL;
    struct swarm_error *error = what < 0 ? NULL : error_alloc(code, (size_t)what + 2 + rest, &text);
    if (error) {
        vsnprintf(text, (size_t)what + 1, format, again);
        memcpy(text + what, ": ", 2);
        memcpy(text + what + 2, old->message, rest + 1);
        *reterr = error;
        swarm_error_free(old);
    }
    va_end(again);
    return code;
}
