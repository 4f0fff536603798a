/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>

#include "error.h"
#include "mem.h"
#include "resource.h"

/* ---- lists ---- */

/** Make room for one more: lists grow at each power of two, so that no capacity need be kept. */
static int list_reserve(void *array, uint32_t count, size_t element_size)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return 0;
    if (count > UINT32_MAX / 2)
        return SWARM_ERR_NOMEM;
    void *old;
    memcpy(&old, array, sizeof(old));
    void *grown = swarm__realloc(old, (count != 0 ? 2 * (size_t)count : 1) * element_size);
    if (grown == NULL)
        return SWARM_ERR_NOMEM;
    memcpy(array, &grown, sizeof(grown));
    return 0;
}

/** Put strings behind one another into one block. @return The block, or NULL. */
static char *join(const char *const *parts, size_t count, const char **ret_places)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(parts[i]) + 1;
    char *block = swarm__malloc(size), *at = block;
    for (size_t i = 0; block != NULL && i < count; i++) {
        size_t length = strlen(parts[i]) + 1;
        memcpy(at, parts[i], length);
        ret_places[i] = at;
        at += length;
    }
    return block;
}

static int add_text(char ***list, uint32_t *count, const char *text)
{
    char *copy = swarm__strdup(text);
    if (copy == NULL || list_reserve(list, *count, sizeof(**list)) < 0) {
        swarm__free(copy);
        return SWARM_ERR_NOMEM;
    }
    (*list)[(*count)++] = copy;
    return 0;
}

/** Split "name:rest" off; engines report links as "/name:/owner/alias". A slash in front stays: with it only a name is
 * meant, no id. */
static int add_reference(struct swarm__reference **list, uint32_t *count, const char *raw)
{
    char *target = swarm__strndup(raw, strcspn(raw, ":"));
    const char *places[2];
    char *block = target != NULL ? join((const char *[]){raw, target}, 2, places) : NULL;
    swarm__free(target);
    if (block == NULL || list_reserve(list, *count, sizeof(**list)) < 0) {
        swarm__free(block);
        return SWARM_ERR_NOMEM;
    }
    (*list)[(*count)++] = (struct swarm__reference){block, places[1]};
    return 0;
}

static int add_expr(struct swarm__exprs *list, const struct swarm__expr *expr)
{
    if (list_reserve(&list->items, list->count, sizeof(*list->items)) < 0)
        return SWARM_ERR_NOMEM;
    list->items[list->count++] = *expr;
    return 0;
}

static int add_port(struct swarm_request *request, const char *container_port, const char *host_ip,
                    const char *host_port)
{
    const char *places[3];
    char *block = join((const char *[]){container_port, host_ip, host_port}, 3, places);
    if (block == NULL || list_reserve(&request->ports, request->port_count, sizeof(*request->ports)) < 0) {
        swarm__free(block);
        return SWARM_ERR_NOMEM;
    }
    request->ports[request->port_count++] = (struct swarm__port){block, places[1], places[2]};
    return 0;
}

/* What requests without extras have. */
static const struct swarm__request_extras no_extras;

/* The request's own extras, made where there are none yet. NULL where there is no memory. */
static struct swarm__request_extras *own_extras(struct swarm_request *request)
{
    if (request->extras == &no_extras) {
        struct swarm__request_extras *fresh = swarm__calloc(1, sizeof(*fresh));
        if (fresh == NULL)
            return NULL;
        request->extras = fresh;
    }
    return (struct swarm__request_extras *)(uintptr_t)request->extras;
}

static int add_amount(struct swarm_request *request, const char *name, int64_t amount)
{
    struct swarm__request_extras *extras = own_extras(request);
    char *copy = extras != NULL ? swarm__strdup(name) : NULL;
    if (copy == NULL || list_reserve(&extras->amounts, extras->amount_count, sizeof(*extras->amounts)) < 0) {
        swarm__free(copy);
        return SWARM_ERR_NOMEM;
    }
    extras->amounts[extras->amount_count++] = (struct swarm__amount){copy, amount};
    return 0;
}

/** Their order stays. */
static void remove_amount(struct swarm__request_extras *extras, struct swarm__amount *amount)
{
    swarm__free(amount->name);
    size_t after = (size_t)(extras->amounts + extras->amount_count - (amount + 1));
    memmove(amount, amount + 1, after * sizeof(*amount));
    extras->amount_count--;
}

/* ---- texts ---- */

/* What requests have in which neither name, image, network mode nor labels are set. */
static const char no_texts[SWARM__REQUEST_TEXTS];

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

/* Where that text begins, or behind the last of them the first label. */
static const char *text_at(const struct swarm_request *request, enum swarm__request_text which)
{
    const char *at = request->texts;
    for (int i = 0; i < (int)which; i++)
        at = behind(at);
    return at;
}

const char *swarm__request_text(const struct swarm_request *request, enum swarm__request_text which)
{
    const char *text = text_at(request, which);
    return *text != '\0' ? text : NULL;
}

bool swarm__request_next_label(const struct swarm_request *request, struct swarm__label *label)
{
    const char *at = label->key == NULL ? text_at(request, SWARM__REQUEST_TEXTS) : behind(label->value);
    if (at == request->texts + request->texts_size)
        return false;
    *label = (struct swarm__label){at, behind(at)};
    return true;
}

bool swarm__request_find_label(const struct swarm_request *request, const char *key, struct swarm__label *ret)
{
    *ret = (struct swarm__label){NULL, NULL};
    while (swarm__request_next_label(request, ret))
        if (strcmp(ret->key, key) == 0)
            return true;
    return false;
}

static void free_texts(struct swarm_request *request)
{
    if (request->texts != no_texts)
        swarm__free((char *)(uintptr_t)request->texts);
}

/** Put @p size bytes in the place of @p gone ones. They may be the request's own. */
static int replace_bytes(struct swarm_request *request, const char *at, size_t gone, const char *fresh, size_t size)
{
    size_t before = (size_t)(at - request->texts), after = request->texts_size - before - gone;
    char *texts = before + size + after <= UINT32_MAX ? swarm__malloc(before + size + after) : NULL;
    if (texts == NULL)
        return SWARM_ERR_NOMEM;
    memcpy(texts, request->texts, before);
    memcpy(texts + before, fresh, size);
    memcpy(texts + before + size, at + gone, after);
    free_texts(request);
    request->texts = texts;
    request->texts_size = (uint32_t)(before + size + after);
    return 0;
}

/** NULL unsets it. */
static int put_text(struct swarm_request *request, enum swarm__request_text which, const char *text)
{
    const char *at = text_at(request, which), *fresh = text != NULL ? text : "";
    return strcmp(at, fresh) == 0 ? 0 : replace_bytes(request, at, strlen(at), fresh, strlen(fresh));
}

static int put_label(struct swarm_request *request, const char *key, const char *value)
{
    struct swarm__label label;
    if (swarm__request_find_label(request, key, &label))
        return replace_bytes(request, label.value, strlen(label.value), value, strlen(value));
    const char *places[2];
    char *both = join((const char *[]){key, value}, 2, places);
    if (both == NULL)
        return SWARM_ERR_NOMEM;
    size_t size = (size_t)(behind(places[1]) - both);
    int rc = replace_bytes(request, request->texts + request->texts_size, 0, both, size);
    request->label_count += rc == 0;
    swarm__free(both);
    return rc;
}

static int replace_text(char **slot, const char *text)
{
    char *copy = NULL;
    if (text != NULL && *text != '\0' && (copy = swarm__strdup(text)) == NULL)
        return SWARM_ERR_NOMEM;
    swarm__free(*slot);
    *slot = copy;
    return 0;
}

/* ---- life ---- */

int swarm_request_new(struct swarm_request **ret_request, struct swarm_error **reterr)
{
    if (ret_request == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "ret_request is NULL");
    struct swarm_request *request = swarm__calloc(1, sizeof(*request));
    if (request == NULL)
        return swarm__error_nomem(reterr);
    atomic_init(&request->refs, 1);
    atomic_init(&request->shared, false);
    request->texts = no_texts;
    request->texts_size = sizeof(no_texts);
    request->extras = &no_extras;
    *ret_request = request;
    return 0;
}

static void free_exprs(struct swarm__exprs *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        swarm__expr_finish(&list->items[i]);
    swarm__free(list->items);
}

static void free_references(struct swarm__reference *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        swarm__free(list[i].raw);
    swarm__free(list);
}

static void extras_free(struct swarm__request_extras *extras)
{
    swarm__free(extras->pid_mode);
    swarm__free(extras->ipc_mode);
    free_exprs(&extras->constraints);
    free_exprs(&extras->affinities);
    free_exprs(&extras->whitelists);
    free_references(extras->volumes_from, extras->volumes_from_count);
    free_references(extras->links, extras->link_count);
    for (uint32_t i = 0; i < extras->amount_count; i++)
        swarm__free(extras->amounts[i].name);
    swarm__free(extras->amounts);
    swarm__free(extras);
}

static void request_free(struct swarm_request *request)
{
    free_texts(request);
    for (uint32_t i = 0; i < request->port_count; i++)
        swarm__free(request->ports[i].container_port);
    swarm__free(request->ports);
    for (uint32_t i = 0; i < request->exposed_count; i++)
        swarm__free(request->exposed[i]);
    swarm__free(request->exposed);
    if (request->extras != &no_extras)
        extras_free(own_extras(request));
    swarm__free(request);
}

struct swarm_request *swarm_request_ref(struct swarm_request *request)
{
    if (request != NULL)
        atomic_fetch_add_explicit(&request->refs, 1, memory_order_relaxed);
    return request;
}

void swarm_request_unref(struct swarm_request *request)
{
    if (request != NULL && atomic_fetch_sub_explicit(&request->refs, 1, memory_order_acq_rel) == 1)
        request_free(request);
}

struct swarm_request *swarm__request_share(struct swarm_request *request)
{
    atomic_store_explicit(&request->shared, true, memory_order_release);
    return swarm_request_ref(request);
}

void swarm__request_swap(struct swarm_request *a, struct swarm_request *b)
{
    size_t from = offsetof(struct swarm_request, policy), size = sizeof(*a) - from;
    char kept[sizeof(*a)];
    memcpy(kept, (char *)a + from, size);
    memcpy((char *)a + from, (char *)b + from, size);
    memcpy((char *)b + from, kept, size);
}

static int copy_exprs(struct swarm__exprs *to, const struct swarm__exprs *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct swarm__expr expr;
        if (swarm__expr_copy(&expr, &from->items[i]) < 0)
            return SWARM_ERR_NOMEM;
        if (add_expr(to, &expr) < 0) {
            swarm__expr_finish(&expr);
            return SWARM_ERR_NOMEM;
        }
    }
    return 0;
}

static int copy_extras(struct swarm_request *request, const struct swarm__request_extras *from)
{
    if (from == &no_extras)
        return 0;
    struct swarm__request_extras *to = own_extras(request);
    if (to == NULL || replace_text(&to->pid_mode, from->pid_mode) < 0 ||
        replace_text(&to->ipc_mode, from->ipc_mode) < 0)
        return SWARM_ERR_NOMEM;
    int rc = copy_exprs(&to->constraints, &from->constraints);
    if (rc == 0)
        rc = copy_exprs(&to->affinities, &from->affinities);
    if (rc == 0)
        rc = copy_exprs(&to->whitelists, &from->whitelists);
    for (uint32_t i = 0; rc == 0 && i < from->volumes_from_count; i++)
        rc = add_reference(&to->volumes_from, &to->volumes_from_count, from->volumes_from[i].raw);
    for (uint32_t i = 0; rc == 0 && i < from->link_count; i++)
        rc = add_reference(&to->links, &to->link_count, from->links[i].raw);
    for (uint32_t i = 0; rc == 0 && i < from->amount_count; i++)
        rc = add_amount(request, from->amounts[i].name, from->amounts[i].amount);
    return rc;
}

static int copy_lists(struct swarm_request *to, const struct swarm_request *from)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < from->port_count; i++)
        rc = add_port(to, from->ports[i].container_port, from->ports[i].host_ip, from->ports[i].host_port);
    for (uint32_t i = 0; rc == 0 && i < from->exposed_count; i++)
        rc = add_text(&to->exposed, &to->exposed_count, from->exposed[i]);
    return rc;
}

int swarm_request_copy(struct swarm_request **ret_request, const struct swarm_request *from,
                       struct swarm_error **reterr)
{
    if (ret_request == NULL || from == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no request to copy");
    struct swarm_request *copy;
    if (swarm_request_new(&copy, reterr) < 0)
        return SWARM_ERR_NOMEM;
    copy->label_count = from->label_count;
    copy->policy = from->policy;
    copy->cpus_milli = from->cpus_milli;
    copy->memory = from->memory;
    copy->cpus_limit = from->cpus_limit;
    copy->memory_limit = from->memory_limit;
    if (replace_bytes(copy, copy->texts, copy->texts_size, from->texts, from->texts_size) < 0 ||
        copy_lists(copy, from) < 0 || copy_extras(copy, from->extras) < 0) {
        request_free(copy);
        return swarm__error_nomem(reterr);
    }
    *ret_request = copy;
    return 0;
}

/* ---- setters ---- */

int swarm__request_check(const struct swarm_request *request, const void *value, const char *what,
                         struct swarm_error **reterr)
{
    if (request == NULL || value == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "%s is NULL", request == NULL ? "request" : what);
    if (atomic_load_explicit(&request->shared, memory_order_acquire))
        return swarm__error_set(reterr, SWARM_ERR_STATE,
                                "the request is in use by a placement or a container: change a copy of it");
    return 0;
}

static int nomem_unless_done(int rc, struct swarm_error **reterr)
{
    return rc < 0 ? swarm__error_nomem(reterr) : 0;
}

int swarm_request_set_name(struct swarm_request *request, const char *name, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc < 0)
        return rc;
    if (name != NULL && name[0] == '/')
        name++;
    return nomem_unless_done(put_text(request, SWARM__REQUEST_NAME, name), reterr);
}

int swarm_request_set_image(struct swarm_request *request, const char *image, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    return rc < 0 ? rc : nomem_unless_done(put_text(request, SWARM__REQUEST_IMAGE, image), reterr);
}

int swarm_request_set_network_mode(struct swarm_request *request, const char *mode, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    return rc < 0 ? rc : nomem_unless_done(put_text(request, SWARM__REQUEST_NETWORK_MODE, mode), reterr);
}

/* @p offset: where it is in the extras. Only another container's is kept. */
static int set_container_mode(struct swarm_request *request, size_t offset, const char *mode,
                              struct swarm_error **reterr)
{
    bool kept = mode != NULL && strncmp(mode, SWARM__CONTAINER_MODE, strlen(SWARM__CONTAINER_MODE)) == 0;
    if (!kept && request->extras == &no_extras)
        return 0;
    struct swarm__request_extras *extras = own_extras(request);
    if (extras == NULL)
        return swarm__error_nomem(reterr);
    return nomem_unless_done(replace_text((char **)((char *)extras + offset), kept ? mode : NULL), reterr);
}

int swarm_request_set_pid_mode(struct swarm_request *request, const char *mode, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    return rc < 0 ? rc : set_container_mode(request, offsetof(struct swarm__request_extras, pid_mode), mode, reterr);
}

int swarm_request_set_ipc_mode(struct swarm_request *request, const char *mode, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    return rc < 0 ? rc : set_container_mode(request, offsetof(struct swarm__request_extras, ipc_mode), mode, reterr);
}

int swarm_request_set_label(struct swarm_request *request, const char *key, const char *value,
                            struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, key, "key", reterr);
    if (rc < 0)
        return rc;
    return nomem_unless_done(put_label(request, key, value != NULL ? value : ""), reterr);
}

int swarm_request_set_swarm_id(struct swarm_request *request, const char *id, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, id, "id", reterr);
    return rc < 0 ? rc : nomem_unless_done(put_label(request, SWARM__LABEL_ID, id), reterr);
}

int swarm_request_set_resource(struct swarm_request *request, const char *name, int64_t amount,
                               struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc == 0)
        rc = swarm__resource_check_name(name, reterr);
    if (rc < 0)
        return rc;
    if (amount < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "resource %s: %lld: 0 or more is expected", name,
                                (long long)amount);
    struct swarm__amount *asked = swarm__request_find_amount(request, name);
    if (asked == NULL)
        return amount > 0 ? nomem_unless_done(add_amount(request, name, amount), reterr) : 0;
    if (amount > 0)
        asked->amount = amount;
    else
        remove_amount(own_extras(request), asked);
    return 0;
}

int swarm_request_set_reschedule_policy(struct swarm_request *request, int policy, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, "", NULL, reterr);
    if (rc < 0)
        return rc;
    if (policy != SWARM_RESCHEDULE_OFF && policy != SWARM_RESCHEDULE_ON_NODE_FAILURE)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "invalid reschedule policy: %d: 0 or 1 is expected", policy);
    request->policy = (uint8_t)policy;
    return 0;
}

/* A list of expressions, by where it is in the extras. NULL where there is no memory. */
static struct swarm__exprs *own_exprs(struct swarm_request *request, size_t offset)
{
    struct swarm__request_extras *extras = own_extras(request);
    return extras != NULL ? (struct swarm__exprs *)((char *)extras + offset) : NULL;
}
#define CONSTRAINTS offsetof(struct swarm__request_extras, constraints)
#define AFFINITIES offsetof(struct swarm__request_extras, affinities)
#define WHITELISTS offsetof(struct swarm__request_extras, whitelists)

static int keep_expression(struct swarm_request *request, size_t offset, const char *text, size_t length)
{
    struct swarm__exprs *list = own_exprs(request, offset);
    if (list == NULL)
        return SWARM_ERR_NOMEM;
    struct swarm__expr expr;
    if (swarm__expr_init(&expr, text, length) < 0)
        return SWARM_ERR_NOMEM;
    if (add_expr(list, &expr) < 0) {
        swarm__expr_finish(&expr);
        return SWARM_ERR_NOMEM;
    }
    return 0;
}

int swarm__request_keep_constraint(struct swarm_request *request, const char *text, size_t length)
{
    return keep_expression(request, CONSTRAINTS, text, length);
}

int swarm__request_keep_affinity(struct swarm_request *request, const char *text, size_t length)
{
    return keep_expression(request, AFFINITIES, text, length);
}

int swarm__request_keep_whitelist(struct swarm_request *request, const char *text, size_t length)
{
    return keep_expression(request, WHITELISTS, text, length);
}

/** Add a sound expression; a flawed one is an error that names it after @p kind. */
static int add_sound(struct swarm_request *request, size_t offset, const char *kind, const char *text,
                     struct swarm_error **reterr)
{
    struct swarm__exprs *list = own_exprs(request, offset);
    if (list == NULL)
        return swarm__error_nomem(reterr);
    struct swarm__expr expr;
    if (swarm__expr_init(&expr, text, strlen(text)) < 0)
        return swarm__error_nomem(reterr);
    int rc = swarm__expr_check(&expr, kind, reterr);
    if (rc == 0)
        rc = nomem_unless_done(add_expr(list, &expr), reterr);
    if (rc < 0)
        swarm__expr_finish(&expr);
    return rc;
}

int swarm_request_add_constraint(struct swarm_request *request, const char *expression, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, expression, "expression", reterr);
    return rc < 0 ? rc : add_sound(request, CONSTRAINTS, "constraint", expression, reterr);
}

int swarm_request_add_affinity(struct swarm_request *request, const char *expression, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, expression, "expression", reterr);
    return rc < 0 ? rc : add_sound(request, AFFINITIES, "affinity", expression, reterr);
}

int swarm_request_add_whitelist(struct swarm_request *request, const char *expression, struct swarm_error **reterr)
{
    int rc = swarm__request_check(request, expression, "expression", reterr);
    return rc < 0 ? rc : add_sound(request, WHITELISTS, "whitelist", expression, reterr);
}

/* ---- for the codec: whatever engines take or report ---- */

int swarm__request_keep_port(struct swarm_request *request, const char *container_port, const char *host_ip,
                             const char *host_port, struct swarm_error **reterr)
{
    return nomem_unless_done(
        add_port(request, container_port, host_ip != NULL ? host_ip : "", host_port != NULL ? host_port : ""), reterr);
}

int swarm__request_keep_exposed_port(struct swarm_request *request, const char *container_port,
                                     struct swarm_error **reterr)
{
    return nomem_unless_done(add_text(&request->exposed, &request->exposed_count, container_port), reterr);
}

int swarm__request_keep_volumes_from(struct swarm_request *request, const char *from, struct swarm_error **reterr)
{
    struct swarm__request_extras *extras = own_extras(request);
    return nomem_unless_done(extras != NULL ? add_reference(&extras->volumes_from, &extras->volumes_from_count, from)
                                            : SWARM_ERR_NOMEM,
                             reterr);
}

int swarm__request_keep_link(struct swarm_request *request, const char *link, struct swarm_error **reterr)
{
    struct swarm__request_extras *extras = own_extras(request);
    return nomem_unless_done(
        extras != NULL ? add_reference(&extras->links, &extras->link_count, link) : SWARM_ERR_NOMEM, reterr);
}
