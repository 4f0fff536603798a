/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of streams, server and relay: certificates, connected pairs, reading with a limit in time. What fails
 * here ends the program with a line: unlike cmocka's assertions it may be used on any thread. */
#ifndef TESTS_HTTP_KIT_H
#define TESTS_HTTP_KIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "check.h"
#include "stream.h"
#include "tls.h"

/* Generous: only a hang reaches it. */
#define KIT_TIMEOUT_MS 60000

/* A directory of this process, removed at exit with what kit_path() named in it. */
const char *kit_path(const char *name);
/* ca.pem, cert.pem and key.pem (for localhost and 127.0.0.1), other-ca.pem, other.pem and other-key.pem (signed by the
 * other CA), made once. */
void kit_make_certificates(void);
/* Verifying, with the certificates above. Freed at exit. */
struct tls *kit_tls(void);

enum kit_transport { KIT_UNIX, KIT_TCP, KIT_TLS };
/* Two connected streams; @p ret_server is the accepting one. */
void kit_pair(enum kit_transport transport, struct stream **ret_client, struct stream **ret_server);
struct stream *kit_dial(const char *url, const struct tls *tls);

void kit_send(struct stream *stream, const char *text);
/* Everything up to the end; NUL-ended, to be freed. *ret_result: 0 for a proper end, else the negative errno. */
char *kit_read_all(struct stream *stream, size_t *ret_length, int *ret_result);
/* Until what was read ends with @p end. */
char *kit_read_until(struct stream *stream, const char *end);
/* A whole reply with its length or chunks, the latter not decoded. */
char *kit_read_reply(struct stream *stream);
/* The peer has closed or reset, within the limit. */
bool kit_is_closed(struct stream *stream);

/* The next bytes are @p text; the test fails where they are not (on the test's own thread only, as the next three). */
void kit_expect(struct stream *stream, const char *text);
void kit_expect_nothing(struct stream *stream, int ms);
/* A proper end, not a reset. */
void kit_expect_end(struct stream *stream);
/* Read a head: every one of @p parts (NULL-ended) is in it, no one of @p absent. */
void kit_expect_head(struct stream *stream, const char *const *parts, const char *const *absent);
#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})
void kit_skip_head(struct stream *stream);
/* Until @p number has grown to @p value. */
void kit_wait_for(atomic_int *number, int value);

struct kit_thread;
struct kit_thread *kit_start(void (*run)(void *data), void *data);
void kit_join(struct kit_thread *thread);
void kit_sleep_ms(int ms);

#endif
