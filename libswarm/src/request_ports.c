/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "request.h"

/* Ports and references to containers as callers may give them; what engines report is kept as it is. */

/** Read "80" or "8000-8010" up to @p end. */
static bool is_port_or_range(const char *text, const char *end)
{
    long bounds[2] = {0, 65535};
    for (int i = 0; i < 2; i++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 5)
            return false;
        bounds[i] = strtol(text, NULL, 10);
        text += digits;
        if (text == end)
            return bounds[0] <= bounds[1] && bounds[i] <= 65535;
        if (i == 1 || *text++ != '-')
            return false;
    }
    return false;
}

static int check_container_port(const char *port, struct swarm_error **reterr)
{
    size_t length = strcspn(port, "/");
    if (is_port_or_range(port, port + length) && (port[length] == '\0' || port[length + 1] != '\0'))
        return 0;
    return swarm__error_set(reterr, SWARM_ERR_INVALID, "container port '%s': a port such as 80/tcp is expected", port);
}

static int check_reference(const char *what, const char *reference, struct swarm_error **reterr)
{
    const char *name = reference + (reference[0] == '/');
    if (*name != '\0' && *name != ':')
        return 0;
    return swarm__error_set(reterr, SWARM_ERR_INVALID, "%s '%s': the name of a container is expected", what, reference);
}

int swarm_request_add_port(struct swarm_request *request, const char *container_port, const char *host_ip,
                           const char *host_port, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, container_port, "container_port", reterr);
    if (rc == 0)
        rc = check_container_port(container_port, reterr);
    if (rc < 0)
        return rc;
    if (host_port != NULL && *host_port != '\0' && !is_port_or_range(host_port, host_port + strlen(host_port)))
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "host port '%s': 0 to 65535, or a range such as 8000-8010, is expected", host_port);
    return swarm__request_keep_port(request, container_port, host_ip, host_port, reterr);
}

int swarm_request_add_exposed_port(struct swarm_request *request, const char *container_port,
                                   struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, container_port, "container_port", reterr);
    if (rc == 0)
        rc = check_container_port(container_port, reterr);
    return rc < 0 ? rc : swarm__request_keep_exposed_port(request, container_port, reterr);
}

int swarm_request_add_volumes_from(struct swarm_request *request, const char *from, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, from, "from", reterr);
    if (rc == 0)
        rc = check_reference("volumes from", from, reterr);
    return rc < 0 ? rc : swarm__request_keep_volumes_from(request, from, reterr);
}

int swarm_request_add_link(struct swarm_request *request, const char *link, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, link, "link", reterr);
    if (rc == 0)
        rc = check_reference("link", link, reterr);
    return rc < 0 ? rc : swarm__request_keep_link(request, link, reterr);
}
