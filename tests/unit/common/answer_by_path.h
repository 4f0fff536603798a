/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of an HTTP peer for tests of clients:
 *   /echo     200, body: "METHOD BODY\n" and the request as it came
 *   /headers  200 with Api-Version, Builder-Version, X-Etcd-Index
 *   /teapot   418, body "short and stout"
 *   /empty    200 without a body
 *   /big      200, 1,000,000 bytes
 *   /silent   none
 *   /stream   200 chunked: "tick\n" every 20 ms until the client leaves
 *   /mute     200 chunked: "tick\n" once, then nothing
 *   others    404, body "no answer for PATH" */
#ifndef TEST_ANSWER_BY_PATH_H
#define TEST_ANSWER_BY_PATH_H

#include "http_peer.h"

peer_answer_fn answer_by_path;

#endif
