/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "error.h"
#include "request.h"

const char *swarm_request_name(const struct swarm_request *request)
{
    return request != NULL ? swarm__request_text(request, SWARM__REQUEST_NAME) : NULL;
}

const char *swarm_request_image(const struct swarm_request *request)
{
    return request != NULL ? swarm__request_text(request, SWARM__REQUEST_IMAGE) : NULL;
}

const char *swarm_request_network_mode(const struct swarm_request *request)
{
    return request != NULL ? swarm__request_text(request, SWARM__REQUEST_NETWORK_MODE) : NULL;
}

const char *swarm_request_pid_mode(const struct swarm_request *request)
{
    return request != NULL ? request->extras->pid_mode : NULL;
}

const char *swarm_request_ipc_mode(const struct swarm_request *request)
{
    return request != NULL ? request->extras->ipc_mode : NULL;
}

static void put(const char **ret, const char *text)
{
    if (ret != NULL)
        *ret = text;
}

int swarm_request_label_at(const struct swarm_request *request, size_t index, const char **ret_key,
                           const char **ret_value)
{
    if (request == NULL || index >= request->label_count)
        return 0;
    struct swarm__label label = {NULL, NULL};
    while (swarm__request_next_label(request, &label) && index > 0)
        index--;
    put(ret_key, label.key);
    put(ret_value, label.value);
    return 1;
}

int swarm_request_port_at(const struct swarm_request *request, size_t index, const char **ret_container_port,
                          const char **ret_host_ip, const char **ret_host_port)
{
    if (request == NULL || index >= request->port_count)
        return 0;
    put(ret_container_port, request->ports[index].container_port);
    put(ret_host_ip, request->ports[index].host_ip);
    put(ret_host_port, request->ports[index].host_port);
    return 1;
}

const char *swarm_request_exposed_port_at(const struct swarm_request *request, size_t index)
{
    return request != NULL && index < request->exposed_count ? request->exposed[index] : NULL;
}

const char *swarm_request_volumes_from_at(const struct swarm_request *request, size_t index)
{
    return request != NULL && index < request->extras->volumes_from_count ? request->extras->volumes_from[index].raw
                                                                          : NULL;
}

const char *swarm_request_link_at(const struct swarm_request *request, size_t index)
{
    return request != NULL && index < request->extras->link_count ? request->extras->links[index].raw : NULL;
}

static const char *text_at(const struct swarm__exprs *list, size_t index)
{
    return index < list->count ? list->items[index].text : NULL;
}

const char *swarm_request_constraint_at(const struct swarm_request *request, size_t index)
{
    return request != NULL ? text_at(&request->extras->constraints, index) : NULL;
}

const char *swarm_request_affinity_at(const struct swarm_request *request, size_t index)
{
    return request != NULL ? text_at(&request->extras->affinities, index) : NULL;
}

const char *swarm_request_whitelist_at(const struct swarm_request *request, size_t index)
{
    return request != NULL ? text_at(&request->extras->whitelists, index) : NULL;
}

const char *swarm_request_label(const struct swarm_request *request, const char *key)
{
    struct swarm__label label;
    return request != NULL && key != NULL && swarm__request_find_label(request, key, &label) ? label.value : NULL;
}

const char *swarm_request_swarm_id(const struct swarm_request *request)
{
    const char *id = swarm_request_label(request, SWARM__LABEL_ID);
    return id != NULL && *id != '\0' ? id : NULL;
}

int64_t swarm_request_cpus_milli(const struct swarm_request *request)
{
    return request != NULL ? request->cpus_milli : 0;
}

int64_t swarm_request_memory(const struct swarm_request *request)
{
    return request != NULL ? request->memory : 0;
}

int64_t swarm_request_cpus_limit_milli(const struct swarm_request *request)
{
    return request != NULL ? request->cpus_limit : 0;
}

int64_t swarm_request_memory_limit(const struct swarm_request *request)
{
    return request != NULL ? request->memory_limit : 0;
}

struct swarm__amount *swarm__request_find_amount(const struct swarm_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->extras->amount_count; i++)
        if (strcmp(request->extras->amounts[i].name, name) == 0)
            return &request->extras->amounts[i];
    return NULL;
}

int64_t swarm_request_resource(const struct swarm_request *request, const char *name)
{
    const struct swarm__amount *asked =
        request != NULL && name != NULL ? swarm__request_find_amount(request, name) : NULL;
    return asked != NULL ? asked->amount : 0;
}

int swarm_request_resource_at(const struct swarm_request *request, size_t index, const char **ret_name,
                              int64_t *ret_amount)
{
    if (request == NULL || index >= request->extras->amount_count)
        return 0;
    put(ret_name, request->extras->amounts[index].name);
    if (ret_amount != NULL)
        *ret_amount = request->extras->amounts[index].amount;
    return 1;
}

int swarm_request_reschedule_policy(const struct swarm_request *request)
{
    return request != NULL ? request->policy : SWARM_RESCHEDULE_OFF;
}

int swarm_request_has_node_constraint(const struct swarm_request *request)
{
    for (uint32_t i = 0; request != NULL && i < request->extras->constraints.count; i++) {
        const char *text = request->extras->constraints.items[i].text;
        if (strncmp(text, "node==", 6) == 0 && text[6] != '~')
            return 1;
    }
    return 0;
}

static int check_exprs(const struct swarm__exprs *list, const char *kind, struct swarm_error **reterr)
{
    int rc = 0;
    for (uint32_t i = 0; i < list->count && rc == 0; i++)
        rc = swarm__expr_check(&list->items[i], kind, reterr);
    return rc;
}

int swarm_request_check(const struct swarm_request *request, struct swarm_error **reterr)
{
    if (request == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "request is NULL");
    int rc = check_exprs(&request->extras->constraints, "constraint", reterr);
    if (rc == 0)
        rc = check_exprs(&request->extras->affinities, "affinity", reterr);
    if (rc == 0)
        rc = check_exprs(&request->extras->whitelists, "whitelist", reterr);
    return rc;
}

bool swarm__request_host_network(const struct swarm_request *request)
{
    const char *mode = swarm_request_network_mode(request);
    return mode != NULL && strcmp(mode, "host") == 0;
}

static bool container_mode(const char *mode, const char *option, struct swarm__dependency *ret)
{
    if (mode == NULL || strncmp(mode, SWARM__CONTAINER_MODE, strlen(SWARM__CONTAINER_MODE)) != 0)
        return false;
    *ret = (struct swarm__dependency){option, mode, mode + strlen(SWARM__CONTAINER_MODE)};
    return true;
}

bool swarm__request_dependency(const struct swarm_request *request, size_t index, struct swarm__dependency *ret)
{
    if (index < request->extras->volumes_from_count) {
        const struct swarm__reference *from = &request->extras->volumes_from[index];
        *ret = (struct swarm__dependency){"--volumes-from=", from->raw, from->target};
        return true;
    }
    index -= request->extras->volumes_from_count;
    if (index < request->extras->link_count) {
        *ret = (struct swarm__dependency){"--link=", request->extras->links[index].raw,
                                          request->extras->links[index].target};
        return true;
    }
    index -= request->extras->link_count;
    if (container_mode(swarm_request_network_mode(request), "--net=", ret) && index-- == 0)
        return true;
    if (container_mode(request->extras->pid_mode, "--pid=", ret) && index-- == 0)
        return true;
    return container_mode(request->extras->ipc_mode, "--ipc=", ret) && index == 0;
}
