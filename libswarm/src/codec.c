/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <string.h>

#include "error.h"
#include "mem.h"

/* ---- reading ---- */

int swarm__create_body_new(struct swarm_create_body **ret_body, json_t *root, bool strict, struct swarm__shares shares,
                           struct swarm_error **reterr)
{
    struct swarm_create_body *body = swarm__malloc(sizeof(*body));
    int rc;
    if (body == NULL)
        return swarm__error_nomem(reterr);
    if ((rc = swarm__codec_read_create(root, strict, shares, &body->request, reterr)) < 0) {
        swarm__free(body);
        return rc;
    }
    body->root = json_incref(root);
    body->weight = shares.engine_cpus != 0 || swarm__cpu_shares_said(root, shares.unsaid) == SWARM_CPU_SHARES_WEIGHT;
    *ret_body = body;
    return 0;
}

/** Only the shape: what an endpoint's settings hold is the engine's to judge. */
static int check_endpoints(const json_t *root, struct swarm_error **reterr)
{
    json_t *networking, *endpoints, *settings;
    const char *name;
    int rc = swarm__json_member(root, "", "NetworkingConfig", JSON_OBJECT, &networking, reterr);
    if (rc == 0)
        rc = swarm__json_member(networking, "NetworkingConfig.", "EndpointsConfig", JSON_OBJECT, &endpoints, reterr);
    if (rc < 0)
        return rc;
    json_object_foreach (endpoints, name, settings)
        if (rc == 0)
            rc = swarm__json_member(endpoints, "NetworkingConfig.EndpointsConfig.", name, JSON_OBJECT, &settings,
                                    reterr);
    return rc;
}

int swarm_create_body_parse(struct swarm_create_body **ret_body, const char *json, size_t length,
                            struct swarm_error **reterr)
{
    json_t *root;
    if (ret_body == NULL || (json == NULL && length != 0))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "ret_body or json is NULL");
    int rc = swarm__json_parse(json, length, &root, reterr);
    if (rc < 0)
        return rc;
    rc = check_endpoints(root, reterr);
    if (rc == 0)
        rc = swarm__create_body_new(ret_body, root, true, swarm__whole_cpus, reterr);
    json_decref(root);
    return rc;
}

void swarm_create_body_free(struct swarm_create_body *body)
{
    if (body == NULL)
        return;
    json_decref(body->root);
    swarm_request_unref(body->request);
    swarm__free(body);
}

struct swarm_request *swarm_create_body_request(const struct swarm_create_body *body)
{
    return body != NULL ? body->request : NULL;
}

/* ---- editing ---- */

static int begin_edit(const struct swarm_create_body *body, const char *argument, struct swarm_request **ret_changed,
                      struct swarm_error **reterr)
{
    if (body == NULL || argument == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no body, or nothing to change it to");
    return swarm_request_copy(ret_changed, body->request, reterr);
}

void swarm__create_body_end_edit(struct swarm_create_body *body, struct swarm_request *changed)
{
    if (atomic_load_explicit(&body->request->shared, memory_order_acquire)) {
        swarm_request_unref(body->request);
        body->request = changed;
        return;
    }
    swarm__request_swap(body->request, changed);
    swarm_request_unref(changed);
}

int swarm_create_body_set_swarm_id(struct swarm_create_body *body, const char *id, struct swarm_error **reterr)
{
    struct swarm_request *changed;
    int rc = begin_edit(body, id, &changed, reterr);
    if (rc < 0)
        return rc;
    rc = swarm_request_set_swarm_id(changed, id, reterr);
    if (rc == 0 && swarm__json_put(body->root, "Labels", SWARM__LABEL_ID, json_string(id)) < 0)
        rc = swarm__error_nomem(reterr);
    if (rc < 0)
        swarm_request_unref(changed);
    else
        swarm__create_body_end_edit(body, changed);
    return rc;
}

int swarm__create_body_put_label(struct swarm_create_body *body, struct swarm_request *changed, const char *label,
                                 const char *text, struct swarm_error **reterr)
{
    int rc = swarm_request_set_label(changed, label, text, reterr);
    if (rc == 0 && swarm__json_put(body->root, "Labels", label, json_string(text)) < 0)
        rc = swarm__error_nomem(reterr);
    return rc;
}

int swarm_create_body_add_constraint(struct swarm_create_body *body, const char *expression,
                                     struct swarm_error **reterr)
{
    struct swarm_request *changed;
    char *text = NULL;
    int rc = begin_edit(body, expression, &changed, reterr);
    if (rc < 0)
        return rc;
    rc = swarm_request_add_constraint(changed, expression, reterr);
    if (rc == 0 && swarm__codec_extended_list(body->root, SWARM__LIST_CONSTRAINTS, expression, &text) < 0)
        rc = swarm__error_nomem(reterr);
    if (rc == 0)
        rc = swarm__create_body_put_label(body, changed, swarm__list_label(SWARM__LIST_CONSTRAINTS), text, reterr);
    swarm__free(text);
    if (rc < 0)
        swarm_request_unref(changed);
    else
        swarm__create_body_end_edit(body, changed);
    return rc;
}

int swarm_create_body_set_network_mode(struct swarm_create_body *body, const char *mode, struct swarm_error **reterr)
{
    struct swarm_request *changed;
    int rc = begin_edit(body, mode, &changed, reterr);
    if (rc < 0)
        return rc;
    rc = swarm_request_set_network_mode(changed, mode, reterr);
    if (rc == 0 && swarm__json_put(body->root, "HostConfig", "NetworkMode", json_string(mode)) < 0)
        rc = swarm__error_nomem(reterr);
    if (rc < 0)
        swarm_request_unref(changed);
    else
        swarm__create_body_end_edit(body, changed);
    return rc;
}

/* ---- endpoints ---- */

static json_t *endpoints_of(const struct swarm_create_body *body)
{
    return json_object_get(json_object_get(body->root, "NetworkingConfig"), "EndpointsConfig");
}

const char *swarm_create_body_endpoint(const struct swarm_create_body *body, size_t index)
{
    json_t *settings;
    const char *name;
    if (body == NULL)
        return NULL;
    json_object_foreach (endpoints_of(body), name, settings)
        if (index-- == 0)
            return name;
    return NULL;
}

/** The endpoints in the same order, one of them under another name. @return New, or NULL. */
static json_t *renamed(json_t *endpoints, const char *from, const char *to)
{
    json_t *changed = json_object(), *settings;
    const char *name;
    json_object_foreach (endpoints, name, settings) {
        if (json_object_set(changed, strcmp(name, from) == 0 ? to : name, settings) < 0) {
            json_decref(changed);
            return NULL;
        }
    }
    return changed;
}

int swarm_create_body_rename_endpoint(struct swarm_create_body *body, const char *from, const char *to,
                                      struct swarm_error **reterr)
{
    if (body == NULL || from == NULL || to == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no body, or no name of an endpoint");
    json_t *endpoints = endpoints_of(body);
    if (json_object_get(endpoints, from) == NULL)
        return swarm__error_set(reterr, SWARM_ERR_NOT_FOUND, "no endpoint for network %s", from);
    if (strcmp(from, to) == 0)
        return 0;
    if (json_object_get(endpoints, to) != NULL)
        return swarm__error_set(reterr, SWARM_ERR_EXISTS, "an endpoint for network %s exists already", to);
    if (swarm__json_put(body->root, "NetworkingConfig", "EndpointsConfig", renamed(endpoints, from, to)) < 0)
        return swarm__error_nomem(reterr);
    return 0;
}

int swarm_create_body_take_endpoint(struct swarm_create_body *body, const char *name, char **ret_settings,
                                    struct swarm_error **reterr)
{
    if (body == NULL || name == NULL || ret_settings == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no body, or no name of an endpoint");
    json_t *endpoints = endpoints_of(body);
    json_t *settings = json_object_get(endpoints, name);
    if (settings == NULL)
        return swarm__error_set(reterr, SWARM_ERR_NOT_FOUND, "no endpoint for network %s", name);
    if (json_is_object(settings) ? swarm__json_dump(settings, ret_settings, NULL) < 0
                                 : (*ret_settings = swarm__strdup("{}")) == NULL)
        return swarm__error_nomem(reterr);
    (void)json_object_del(endpoints, name);
    return 0;
}

/* ---- writing ---- */

/** json_copy() loses members where there is no memory for them; this one does not. @return New, or NULL. */
static json_t *shallow_copy(json_t *object)
{
    json_t *copy = json_object();
    if (json_object_update(copy, object) < 0) {
        json_decref(copy);
        return NULL;
    }
    return copy;
}

/** A shallow copy of the body with CpuShares as that engine counts them. @return New, or NULL. */
static json_t *for_engine(json_t *root, json_t *host_config, int64_t cpus, int engine_cpus)
{
    json_t *changed = shallow_copy(root), *host = shallow_copy(host_config);
    json_int_t shares = swarm__shares_from_cpus(cpus, engine_cpus);
    if (json_object_set_new(host, "CpuShares", json_integer(shares)) < 0) {
        json_decref(host);
        json_decref(changed);
        return NULL;
    }
    if (json_object_set_new(changed, "HostConfig", host) < 0) {
        json_decref(changed);
        return NULL;
    }
    return changed;
}

int swarm_create_body_write(const struct swarm_create_body *body, int engine_cpus, char **ret_json, size_t *ret_length,
                            struct swarm_error **reterr)
{
    if (body == NULL || ret_json == NULL || engine_cpus < 1)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no body, or no CPUs of an engine: 1 or more are expected");
    json_t *host_config = json_object_get(body->root, "HostConfig");
    int64_t cpus = json_integer_value(json_object_get(host_config, "CpuShares"));
    json_t *root =
        cpus > 0 && !body->weight ? for_engine(body->root, host_config, cpus, engine_cpus) : json_incref(body->root);
    int rc = root != NULL ? swarm__json_dump(root, ret_json, ret_length) : SWARM_ERR_NOMEM;
    json_decref(root);
    return rc < 0 ? swarm__error_nomem(reterr) : 0;
}
