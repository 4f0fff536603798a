/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin: machines have prices, kept in a node label.
 *
 *   cc -shared -fPIC plugin.c -o price.so $(pkg-config --cflags --libs libswarm)
 *   swarm manage --plugin ./price.so:price --strategy cheapest --filter health --filter priced etcd://…
 *
 * The strategy "cheapest" takes the node whose label has the least number; the filter "priced" takes nodes out whose
 * label has none, and those dearer than a request's label "max-price" allows.
 */
#include <stdlib.h>
#include <string.h>

#include <swarm/plugin.h>

#define MAX_PRICE_LABEL "max-price"

/* A whole number from 0; 0 where the text is none. */
static int read_price(const char *text, int64_t *ret_price)
{
    char *end = NULL;
    long long price = text ? strtoll(text, &end, 10) : -1;
    if (price < 0 || end == text || *end != '\0')
        return 0;
    *ret_price = price;
    return 1;
}

/* The data of both is the label's key. */
static int take_priced(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                       struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    const char *text = swarm_request_label(request, MAX_PRICE_LABEL);
    int64_t most = INT64_MAX, price;
    (void)cluster, (void)soft;
    if (text && !read_price(text, &most))
        return swarm_error_new(reterr, SWARM_ERR_INVALID, "label %s is '%s': a whole number is expected",
                               MAX_PRICE_LABEL, text);
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        if (!read_price(swarm_node_label(node, data), &price) || price > most)
            swarm_candidates_remove(candidates, node);
    return 0;
}

/* What a refusal says that was looked for. */
static int list_price(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                      struct swarm_error **reterr)
{
    const char *most = swarm_request_label(request, MAX_PRICE_LABEL);
    (void)reterr;
    int code = swarm_conditions_add(conditions, data);
    return code || !most ? code : swarm_conditions_add(conditions, most);
}

/* A node without a number, where the filter is not used, is dearer than all others. */
static int rank_cheapest(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                         const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                         struct swarm_error **reterr)
{
    (void)request, (void)cluster, (void)reterr;
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));) {
        int64_t price = INT64_MAX;
        read_price(swarm_node_label(node, data), &price);
        swarm_ranking_offer(ranking, node, -price);
    }
    return 0;
}

static int add_filter(struct swarm_registry *registry, const char *key, struct swarm_error **reterr)
{
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    ops.name = "priced";
    ops.filter = take_priced;
    ops.conditions = list_price;
    ops.destroy = free;
    char *data = strdup(key);
    if (!data)
        return swarm_error_new(reterr, SWARM_ERR_NOMEM, NULL);
    int code = swarm_registry_add_filter(registry, &ops, data, reterr);
    if (code)
        free(data);
    return code;
}

static int add_strategy(struct swarm_registry *registry, const char *key, struct swarm_error **reterr)
{
    struct swarm_strategy_ops ops = SWARM_STRATEGY_OPS_INIT;
    ops.name = "cheapest";
    ops.rank = rank_cheapest;
    ops.destroy = free;
    char *data = strdup(key);
    if (!data)
        return swarm_error_new(reterr, SWARM_ERR_NOMEM, NULL);
    int code = swarm_registry_add_strategy(registry, &ops, data, reterr);
    if (code)
        free(data);
    return code;
}

static int enter(struct swarm_registry *registry, const char *arguments, struct swarm_error **reterr)
{
    if (!*arguments)
        return swarm_error_new(reterr, SWARM_ERR_INVALID, "the key of a node label is needed, as in price.so:price");
    int code = add_filter(registry, arguments, reterr);
    return code ? code : add_strategy(registry, arguments, reterr);
}

const struct swarm_plugin swarm_plugin_entry = {SWARM_PLUGIN_HEAD, "price", enter};
