/* SPDX-License-Identifier: Apache-2.0 */
/* swarm create: ask a token service for a token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "http_client.h"
#include "text.h"
#include "token_service.h"

enum { TIMEOUT_MS = 15000 };

static struct option options[] = {
    {"service", OPTION_STRING, NULL, "SWARM_TOKEN_SERVICE",
     "token service to ask, such as http://host:2380/v1 (see 'swarm token-service --help')"},
    {0},
};
const struct command create_command = {.name = "create", .usage = "Create a cluster", .options = options};

static int print_token(const struct http_result *result, const char *url)
{
    const char *token = result->body ? result->body : "";
    size_t length = strcspn(token, "\r\n");
    if (result->status / 100 != 2)
        return fail_plainly("%s answers status %d: %.*s", url, result->status, (int)(length < 200 ? length : 200),
                            token);
    if (!token_is_valid(token, length))
        return fail_plainly("%s answers something that is no token", url);
    printf("%.*s\n", (int)length, token);
    return 0;
}

static int create(const char *service)
{
    char *error = NULL, *base = token_service_url(service, &error),
         *url = base ? text_format("%s/clusters", base) : NULL;
    struct http_result result = {0};
    struct http_client *client = NULL;
    int status;
    if (!url || http_client_new(&client) != 0) {
        status = fail_plainly("%s", error ? error : "out of memory");
    } else {
        struct http_call call = {.method = "POST", .url = url, .timeout_ms = TIMEOUT_MS, .max_response = 65536};
        status = http_client_call(client, &call, &result) == 0 ? print_token(&result, url)
                                                               : fail_plainly("%s: %s", url, result.error);
    }
    http_result_clear(&result);
    http_client_free(client);
    free(url);
    free(base);
    free(error);
    return status;
}

int create_run(int argc, char **argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    int status = options_parse(&create_command, argc, argv, &positional, &count, &error);
    if (status > 0)
        return 0;
    if (status < 0)
        options_incorrect_usage(&create_command, "swarm", error ? error : "out of memory");
    const char *service = option_find(&create_command, "service")->value;
    free(positional);
    if (count > 0)
        status = fail_plainly("the `create` command takes no arguments. See 'swarm create --help'.");
    else if (!service || !*service)
        status =
            fail_plainly("the hosted token service (discovery.hub.docker.com) no longer exists. Start your own with "
                         "`swarm token-service` and name it by --service or SWARM_TOKEN_SERVICE; etcd://, "
                         "consul://, zk://, file:// and nodes:// need no `swarm create`.");
    else if (http_client_global_init() != 0)
        status = fail_plainly("libcurl does not start");
    else
        status = create(service);
    options_free(&create_command);
    return status;
}
