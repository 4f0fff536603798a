/* SPDX-License-Identifier: Apache-2.0 */
#include "create_bind.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "image_name.h"
#include "json_read.h"
#include "object_find.h"
#include "pull.h"
#include "volume_use.h"

/* As text of its own; NULL for lack of memory. */
static char *finish(struct bytes *text, int r)
{
    char *finished = r < 0 || bytes_append(text, "", 1) < 0 ? NULL : strdup(bytes_at(text));

    bytes_free(text);
    return finished;
}

/* --- networks --- */

static bool is_no_network(const char *name)
{
    return name == NULL || name[0] == '\0' || strcmp(name, "default") == 0 || network_is_predefined(name) ||
           strchr(name, ':') != NULL; /* container:<name> */
}

/* Where it is; none where it is unknown, which the engine has words for, or spans nodes. */
static int find_nodes(struct pool *pool, const char *network, struct object_holders *ret)
{
    struct failure failure = {0};
    int r = network_find(pool, network, ret, &failure);

    failure_clear(&failure);
    for (size_t i = 0; r == 0 && i < ret->count; i++) {
        if (!ret->list[i].local) {
            object_holders_clear(ret);
            break;
        }
    }
    return r < 0 ? SWARM_ERR_NOMEM : 0;
}

/* Other characters than letters and digits stand for themselves. */
static int append_literal(struct bytes *text, const char *literal)
{
    int r = 0;

    for (; *literal != '\0' && r == 0; literal++)
        r = bytes_printf(text, "%s%c", *literal == '.' ? "\\" : "", *literal);
    return r;
}

/* "node==n1", or "node==/^(n1|n2)$/"; new text. */
static char *constraint_for(const struct object_holders *holders)
{
    struct bytes text = {0};
    int r = bytes_append_text(&text, holders->count == 1 ? "node==" : "node==/^(");

    if (holders->count == 1)
        return finish(&text, r == 0 ? bytes_append_text(&text, holders->list[0].node) : r);
    for (size_t i = 0; i < holders->count && r == 0; i++) {
        if (i > 0)
            r = bytes_append_text(&text, "|");
        if (r == 0)
            r = append_literal(&text, holders->list[i].node);
    }
    return finish(&text, r == 0 ? bytes_append_text(&text, ")$/") : r);
}

static int bind_network(struct pool *pool, struct swarm_create_body *body, const char *network,
                        struct swarm_error **reterr)
{
    struct object_holders holders;
    char *constraint = NULL;
    int r;

    if (is_no_network(network))
        return 0;
    r = find_nodes(pool, network, &holders);
    if (r == 0 && holders.count > 0) {
        constraint = constraint_for(&holders);
        r = constraint == NULL ? SWARM_ERR_NOMEM : swarm_create_body_add_constraint(body, constraint, reterr);
    }
    free(constraint);
    object_holders_clear(&holders);
    return r;
}

int create_bind_networks(struct pool *pool, struct swarm_create_body *body, struct swarm_error **reterr)
{
    const char *mode = swarm_request_network_mode(swarm_create_body_request(body)), *name;
    char *copy = mode == NULL ? NULL : strdup(mode); /* the request's own text goes with the first change */
    int r = mode != NULL && copy == NULL ? SWARM_ERR_NOMEM : bind_network(pool, body, copy, reterr);

    for (size_t i = 0; r == 0 && (name = swarm_create_body_endpoint(body, i)) != NULL; i++) {
        if (copy == NULL || strcmp(name, copy) != 0)
            r = bind_network(pool, body, name, reterr);
    }
    free(copy);
    return r;
}

/* --- volumes --- */

/* "name:/path[:options]"; what begins with a slash, or a dot, is a folder of the host. */
static void add_bind(json_t *names, const char *bind)
{
    size_t length = strcspn(bind, ":");

    if (bind[length] == ':' && length > 0 && isalnum((unsigned char)bind[0]))
        json_array_append_new(names, json_stringn(bind, length));
}

static void add_mount(json_t *names, const json_t *mount)
{
    const char *type = json_string_value(json_object_get(mount, "Type"));
    json_t *source = json_object_get(mount, "Source");

    if (type != NULL && strcmp(type, "volume") == 0 && json_string_length(source) > 0)
        json_array_append(names, source);
}

json_t *create_volume_names(const char *body, size_t length)
{
    json_t *root, *host, *names, *item;
    size_t i;

    if (strstr(body, "\"Binds\"") == NULL && strstr(body, "\"Mounts\"") == NULL)
        return NULL;
    root = json_read(body, length, JSON_ALLOW_NUL, NULL);
    host = json_object_get(root, "HostConfig");
    names = json_array();
    json_array_foreach (json_object_get(host, "Binds"), i, item) {
        if (json_is_string(item))
            add_bind(names, json_string_value(item));
    }
    json_array_foreach (json_object_get(host, "Mounts"), i, item)
        add_mount(names, item);
    json_decref(root);
    if (json_array_size(names) > 0)
        return names;
    json_decref(names);
    return NULL;
}

int create_prefer_volumes(struct pool *pool, struct swarm_request *request, const json_t *volumes,
                          struct swarm_error **reterr)
{
    char *whitelist = NULL;
    int r = 0;

    if (volumes == NULL)
        return 0;
    r = volume_use_prefer(pool, volumes, &whitelist);
    if (r == 0 && whitelist != NULL)
        r = swarm_request_add_whitelist(request, whitelist, reterr);
    free(whitelist);
    return r;
}

bool create_made_volumes(struct pool *pool, const struct engine *engine, const char *container)
{
    const struct swarm_container *found = NULL;
    bool made = false;

    pool_read_lock(pool);
    if (engine->node != NULL)
        found = swarm_cluster_find_container(pool->cluster, engine->node, container);
    if (found != NULL && container_record(found) != NULL) {
        const struct container_uses *uses = &container_record(found)->uses;

        for (size_t i = 0; i < uses->volume_count && !made; i++)
            made = object_table_find(&engine->volumes, uses->volumes[i]) == NULL;
    }
    pool_unlock(pool);
    return made;
}

/* --- images --- */

/* Engines tell a digest of what was pulled or pushed. */
static bool came_from_registry(const json_t *images, const char *reference)
{
    json_t *image;
    size_t i;

    json_array_foreach (images, i, image) {
        if (image_names_meant(image, reference, false) > 0 &&
            json_array_size(json_object_get(image, "RepoDigests")) > 0)
            return true;
    }
    return false;
}

/* Some healthy node has it, and no node has it out of a registry. */
static bool is_local(const struct pool *pool, const char *reference)
{
    bool found = false;

    for (size_t i = 0; i < pool->engine_count; i++) {
        const struct engine *engine = pool->engines[i];

        if (engine->node == NULL || !swarm_node_has_image(engine->node, reference))
            continue;
        if (pull_is_possible(reference) && came_from_registry(engine->images, reference))
            return false;
        found = found || engine->state == ENGINE_HEALTHY;
    }
    return found;
}

/* As engines show it; new text, NULL for lack of memory. */
static char *shown_reference(const char *image)
{
    return pull_is_possible(image) ? image_name_shown(image) : strdup(image);
}

int create_find_local_image(struct pool *pool, const char *image, const struct swarm_node *chosen, char **ret)
{
    char *reference;
    int r = 0;

    *ret = NULL;
    if (image == NULL || image[0] == '\0')
        return 0;
    reference = shown_reference(image);
    if (reference == NULL)
        return SWARM_ERR_NOMEM;
    if (!swarm_node_has_image(chosen, reference) && is_local(pool, reference) &&
        asprintf(ret, "image==%s", reference) < 0) {
        *ret = NULL;
        r = SWARM_ERR_NOMEM;
    }
    free(reference);
    return r;
}

/* The newest that is meant, of all healthy engines. With the pool locked. */
static const json_t *newest_image(const struct pool *pool, const char *reference, struct engine **ret_engine)
{
    const json_t *newest = NULL;

    for (size_t i = 0; i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];
        json_t *image;
        size_t k;

        if (engine->node == NULL || engine->state != ENGINE_HEALTHY)
            continue;
        json_array_foreach (engine->images, k, image) {
            if (image_names_meant(image, reference, false) == 0 && !image_id_meant(image, reference))
                continue;
            if (newest == NULL || json_integer_value(json_object_get(image, "Created")) >
                                      json_integer_value(json_object_get(newest, "Created"))) {
                newest = image;
                *ret_engine = engine;
            }
        }
    }
    return newest;
}

int create_find_giver(struct pool *pool, const char *image, const struct engine *lacking, struct engine **ret,
                      char **ret_id)
{
    char *reference = shown_reference(image);
    struct engine *engine = NULL;
    const char *id = NULL;
    int r = reference == NULL ? SWARM_ERR_NOMEM : 0;

    *ret = NULL;
    *ret_id = NULL;
    pool_read_lock(pool);
    if (r == 0 && is_local(pool, reference))
        id = json_string_value(json_object_get(newest_image(pool, reference, &engine), "Id"));
    if (id != NULL && engine != lacking) {
        *ret_id = strdup(id);
        *ret = *ret_id == NULL ? NULL : engine_ref(engine);
        r = *ret == NULL ? SWARM_ERR_NOMEM : 0;
    }
    pool_unlock(pool);
    free(reference);
    return r;
}
