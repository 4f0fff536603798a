/* SPDX-License-Identifier: Apache-2.0 */
/* /_ping and /version. */
#include "api.h"

#include <string.h>

#include "commit.h"
#include "host.h"
#include "http_server.h"
#include "traits.h"

int api_ping(struct call *call)
{
    struct traits traits;

    traits_get(call->manager, &traits);
    http_reply_header(call->reply, "Builder-Version", traits.builder);
    http_reply_header(call->reply, "Swarm", "inactive");
    http_reply_header(call->reply, "Cache-Control", "no-cache, no-store, must-revalidate");
    http_reply_header(call->reply, "Pragma", "no-cache");
    /* Docker's own HEAD has a length of 0 here. */
    if (strcmp(http_request_method(call->request), "HEAD") == 0)
        return http_reply_send(call->reply, 200, "text/plain; charset=utf-8", "", 0);
    return http_reply_send(call->reply, 200, "text/plain; charset=utf-8", "OK", 2);
}

static json_t *engine_component(const struct traits *traits, const struct host *host, bool experimental)
{
    json_t *details = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ApiVersion", traits->api_version,
                                "Arch", host->arch, "BuildTime", "<unknown>", "Experimental",
                                experimental ? "true" : "false", "GitCommit", SWARM_GIT_COMMIT, "GoVersion", "",
                                "KernelVersion", host->kernel, "MinAPIVersion", API_VERSION_MIN, "Os", "linux");

    return json_pack("{s:s, s:s, s:o}", "Name", "Engine", "Version", "swarm/" SWARM_VERSION, "Details", details);
}

int api_version(struct call *call)
{
    struct traits traits;
    bool experimental;
    struct host host;
    json_t *answer;

    traits_get(call->manager, &traits);
    experimental = call->manager->options.experimental || traits.experimental;
    host_read(&host);
    answer = json_pack("{s:{s:s}, s:[o], s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Platform", "Name",
                       "Docker Swarm - Community", "Components", engine_component(&traits, &host, experimental),
                       "Version", "swarm/" SWARM_VERSION, "ApiVersion", traits.api_version, "MinAPIVersion",
                       API_VERSION_MIN, "GitCommit", SWARM_GIT_COMMIT, "GoVersion", "", "Os", "linux", "Arch",
                       host.arch, "KernelVersion", host.kernel);
    if (answer != NULL && experimental)
        json_object_set_new(answer, "Experimental", json_true());
    if (answer != NULL)
        json_object_set_new(answer, "BuildTime", json_string("<unknown>"));
    return api_reply_json(call, 200, answer);
}
