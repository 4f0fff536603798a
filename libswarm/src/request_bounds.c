/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"
#include "request.h"

/* What is reserved of CPUs and memory, and their limits. */

/** What is said of a resource of which a part may be reserved and another part be the limit. */
struct bounded {
    const char *what;
    const char *unit;
};
static const struct bounded cpus = {"CPUs", "milli-CPUs"}, memory = {"memory", "bytes"};

/** Check both amounts, of which one is about to be set. */
static int check_bounds(const struct bounded *of, int64_t reserved, int64_t limit, struct swarm_error **reterr)
{
    if (reserved < 0 || limit < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "%s: %lld: 0 or more %s are expected", of->what,
                                (long long)(reserved < 0 ? reserved : limit), of->unit);
    if (limit != 0 && reserved > limit)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "%s: the reservation of %lld %s is more than the limit of %lld", of->what,
                                (long long)reserved, of->unit, (long long)limit);
    return 0;
}

int swarm_request_set_cpus_milli(struct swarm_request *request, int64_t cpus_milli, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc == 0)
        rc = check_bounds(&cpus, cpus_milli, request->cpus_limit, reterr);
    if (rc == 0)
        request->cpus_milli = cpus_milli;
    return rc;
}

int swarm_request_set_cpus_limit_milli(struct swarm_request *request, int64_t cpus_milli, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc == 0)
        rc = check_bounds(&cpus, request->cpus_milli, cpus_milli, reterr);
    if (rc == 0)
        request->cpus_limit = cpus_milli;
    return rc;
}

int swarm_request_set_memory(struct swarm_request *request, int64_t bytes, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc == 0)
        rc = check_bounds(&memory, bytes, request->memory_limit, reterr);
    if (rc == 0)
        request->memory = bytes;
    return rc;
}

int swarm_request_set_memory_limit(struct swarm_request *request, int64_t bytes, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc == 0)
        rc = check_bounds(&memory, request->memory, bytes, reterr);
    if (rc == 0)
        request->memory_limit = bytes;
    return rc;
}
