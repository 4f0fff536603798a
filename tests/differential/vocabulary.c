/* SPDX-License-Identifier: Apache-2.0 */
#include "vocabulary.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANY(world, words) (words)[world_draw((world), COUNT(words))]

static bool one_in(struct world *world, unsigned n)
{
    return world_draw(world, n) == 0;
}

const char *any_node_id(struct world *world)
{
    return oracle_text(world->oracle, "node-%u", world_draw(world, 24));
}

const char *any_node_name(struct world *world)
{
    static const char *const names[] = {"n0", "n1", "n2", "n3", "n4", "n5", "same", "same", "eu.1", ""};
    return ANY(world, names);
}

/* Some are as long as engines' and have their first twelve digits in common. */
static const char *any_id(struct world *world, const char *word, const char *eleven)
{
    if (one_in(world, 3))
        return oracle_text(world->oracle, "%s%x%04u", eleven, world_draw(world, 3), world_draw(world, 6));
    return oracle_text(world->oracle, "%s%u", word, world_draw(world, 30));
}

const char *any_container_id(struct world *world)
{
    return any_id(world, "id", "abcdefabcde");
}

const char *any_swarm_id(struct world *world)
{
    /* Some begin as ids do. */
    return one_in(world, 6) ? any_container_id(world) : any_id(world, "s", "feedfacecaf");
}

const char *any_name(struct world *world, bool alias)
{
    static const char *const names[] = {"web", "web-1", "web-2", "db", "db_1", "cache", "id1", "s2", "abcdefabcde1"};
    static const char *const aliases[] = {"web/db", "n1/web", "node-1/db", "n2/n1/web"};
    if (alias && one_in(world, 4))
        return ANY(world, aliases);
    if (one_in(world, 3))
        return ANY(world, names);
    return oracle_text(world->oracle, "w%u", world_draw(world, 40));
}

const char *any_reference(struct world *world)
{
    struct oracle *oracle = world->oracle;
    switch (world_draw(world, 8)) {
    case 0:
        return any_container_id(world);
    case 1:
        return any_swarm_id(world);
    case 2:
        return oracle_text(oracle, "%s/%s", one_in(world, 2) ? any_node_name(world) : any_node_id(world),
                           any_name(world, true));
    case 3:
        return oracle_text(oracle, "/%s", any_name(world, true));
    case 4:
        return oracle_text(oracle, "%.*s", (int)world_draw(world, 14), any_container_id(world));
    case 5:
        return oracle_text(oracle, "%.*s", (int)world_draw(world, 14), any_swarm_id(world));
    default:
        return any_name(world, true);
    }
}

static const char *const values[] = {"a", "b", "eu-1", "eu-2", "us-1", "", "Web", "web", "a.b", "1", "7", "x y"};

void any_node_labels(struct world *world, struct oracle_pairs *ret)
{
    static const char *const keys[] = {"zone", "rack", "storage", "ostype"};
    static const char *const limits[] = {"3", "0", "1", "-1", "+4", "x", "", "5 ", "99999999999999999999", "12"};
    ret->count = 0;
    for (size_t i = 0; i < COUNT(keys); i++)
        if (one_in(world, 2)) {
            ret->items[ret->count].key = keys[i];
            ret->items[ret->count++].value = ANY(world, values);
        }
    if (one_in(world, 4)) {
        ret->items[ret->count].key = "containerslots";
        ret->items[ret->count++].value = ANY(world, limits);
    }
}

static const char *const images[] = {"app:1",
                                     "app:2",
                                     "app",
                                     "library/redis:7",
                                     "registry:5000/app:1",
                                     "registry:5000/app",
                                     "localhost:5000/foo/bar@sha256:bc8",
                                     "nginx:1.25-alpine"};

void any_images(struct world *world, struct oracle_node *node)
{
    node->image_count = world_draw(world, 4);
    for (size_t i = 0; i < node->image_count; i++) {
        struct oracle_image *image = &node->images[i];
        image->id = oracle_text(world->oracle, "sha256:%u", world_draw(world, 6));
        image->tags.count = world_draw(world, 4);
        for (size_t j = 0; j < image->tags.count; j++)
            image->tags.items[j] = ANY(world, images);
    }
}

static const char *const ips[] = {"", "0.0.0.0", "::", "::0", "127.0.0.1", "10.0.0.1", "::1", "::ffff:0.0.0.0", "host"};
static const char *const host_ports[] = {"80", "81", "443", "8000-8010", "", "0", "53"};
static const char *const container_ports[] = {"80/tcp", "53/udp", "443/tcp"};

static void any_ports(struct world *world, struct oracle_ports *ret, unsigned most)
{
    ret->count = world_draw(world, most + 1);
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = (struct oracle_port){ANY(world, container_ports), one_in(world, 2) ? "" : ANY(world, ips),
                                             ANY(world, host_ports)};
}

void any_bound_ports(struct world *world, struct oracle_ports *ret)
{
    any_ports(world, ret, 4);
}

/* ---- expressions ---- */

/* Regular expressions put together from pieces that RE2 and PCRE2 read alike. */
static const char *any_pattern(struct world *world)
{
    static const char *const pieces[] = {"a",   "b",     "eu", "us", "-",     "[0-9]", "\\d", ".",    "\\w", "[^a]",
                                         "web", "(a|b)", "id", "s",  "(?:u)", "x y",   "\\.", "[a-]", "n",   "\\bw"};
    static const char *const repeats[] = {"", "", "", "*", "+", "?", "*?", "+?", "??"};
    static const char *const fronts[] = {"", "", "^", "(?i)", "(?i)^", "\\A"};
    static const char *const backs[] = {"", "", "$", "|7", "\\z", "\\b"};
    const char *text = ANY(world, fronts);
    for (unsigned i = world_draw(world, 4); i > 0; i--)
        text = oracle_text(world->oracle, "%s%s%s", text, ANY(world, pieces), ANY(world, repeats));
    return oracle_text(world->oracle, "/%s%s/", text, ANY(world, backs));
}

static const char *any_glob(struct world *world)
{
    static const char *const globs[] = {"*",    "eu*",    "*1",     "w*b",     "eu-*",  "a|b",   "a.b",      "[ab]",
                                        "web*", "id*",    "node-*", "s*",      "^a",    "a$",    "sha256:*", "app*",
                                        "*app", "(a|b)*", "\\d",    "w+",      "feed*", "a.*.b", "e.*",      "n[0-3]",
                                        "**",   "*:*",    "*/*",    "Web|web", "w\\*"};
    return ANY(world, globs);
}

static const char *any_literal(struct world *world)
{
    static const char *const words[] = {"a", "b", "eu-1", "web", "db", "no-such", "n1", "same", "/", "7", "x y", "app"};
    switch (world_draw(world, 8)) {
    case 0:
        return any_container_id(world);
    case 1:
        return any_node_id(world);
    case 2:
        return any_name(world, false);
    case 3:
        return oracle_text(world->oracle, "sha256:%u", world_draw(world, 6));
    case 4:
        return ANY(world, images);
    case 5:
        return any_node_name(world);
    default:
        return ANY(world, words);
    }
}

/* Values that cannot be parsed, and such as can but do not compile; both are to be survived. */
static const char *any_odd(struct world *world)
{
    static const char *const odd[] = {
        "",     "~",  "/",  "//",  "~/",    "~//", "/(/",  "/[/",   "/*a/",  "(",        "[",       "a{2}",    "a,b",
        "~~a",  "=a", "!a", "=~a", "/~a",   "a~b", "a@b",  "/a++/", "/\\1/", "/(a)\\1/", "/(?=a)/", "/(?|a)/", "a\\",
        "/\\/", "+",  "?",  ")",   "/a**/", "\\K", "/a)/", "a\tb",  "a\nb",  "/\\Qa.b/", "/(?P/"};
    return ANY(world, odd);
}

static const char *any_value(struct world *world)
{
    switch (world_draw(world, world->patterns ? 7 : 12)) {
    case 0:
    case 1:
    case 2:
        return any_glob(world);
    case 3:
    case 4:
    case 5:
        return any_pattern(world);
    case 6:
        /* Of these there are many, so that what is remembered of patterns has to be forgotten. */
        return oracle_text(world->oracle, "/[a-%c%c]-?%u|%u/", 'b' + (int)world_draw(world, 5),
                           'm' + (int)world_draw(world, 9), world_draw(world, 9), world_draw(world, 9));
    default:
        return any_literal(world);
    }
}

static const char *expression(struct world *world, const char *key)
{
    if (one_in(world, 60)) {
        static const char *const broken[] = {"",       "zone",    "zone=a", "z==a",      "1node==a", "no de==a",
                                             "zone!a", "a!=b==c", "==a",    "zone=!=a~", "no*de!=a"};
        return ANY(world, broken);
    }
    return oracle_text(world->oracle, "%s%s%s%s", key, one_in(world, 3) ? "!=" : "==", one_in(world, 3) ? "~" : "",
                       one_in(world, 40) ? any_odd(world) : any_value(world));
}

static const char *any_constraint(struct world *world)
{
    static const char *const keys[] = {"zone", "rack", "node", "node", "storage", "ostype", "absent", "containerslots"};
    return expression(world, ANY(world, keys));
}

const char *any_affinity(struct world *world)
{
    static const char *const keys[] = {"container", "container", "image", "image",  "app",
                                       "tier",      "app",       "none",  "Tier_2", "com.docker.swarm.id"};
    return expression(world, ANY(world, keys));
}

static const char *any_whitelist(struct world *world)
{
    const char *list = any_node_name(world);
    for (unsigned i = world_draw(world, 4); i > 0; i--)
        list = oracle_text(world->oracle, "%s|%s", list, any_node_name(world));
    return oracle_text(world->oracle, "node%s%s%s", one_in(world, 3) ? "!=" : "==", one_in(world, 3) ? "~" : "", list);
}

/* ---- requests ---- */

static void some(struct world *world, struct oracle_list *list, unsigned chance,
                 const char *(*any)(struct world *world))
{
    list->count = 0;
    while (list->count < 3 && one_in(world, chance))
        list->items[list->count++] = any(world);
}

static const char *any_target(struct world *world)
{
    static const char *const rests[] = {"", "", ":ro", ":alias"};
    return oracle_text(world->oracle, "%s%s", any_reference(world), ANY(world, rests));
}

/* No port twice: a body cannot say that. */
static void any_exposed(struct world *world, struct oracle_list *list)
{
    list->count = 0;
    for (size_t i = 0; i < COUNT(container_ports); i++)
        if (one_in(world, 5))
            list->items[list->count++] = container_ports[i];
}

static const char *any_mode(struct world *world, unsigned chance)
{
    return one_in(world, chance) ? oracle_text(world->oracle, "container:%s", any_reference(world)) : "";
}

static void any_labels(struct world *world, struct oracle_pairs *ret)
{
    static const char *const keys[] = {"app", "tier", "Tier_2"};
    ret->count = 0;
    for (size_t i = 0; i < COUNT(keys); i++)
        if (one_in(world, 3)) {
            ret->items[ret->count].key = keys[i];
            ret->items[ret->count++].value = ANY(world, values);
        }
}

const char *const resource_names[] = {"gpu", "disk", "license", NULL};

void any_resources(struct world *world, struct oracle_amounts *ret)
{
    static const int64_t amounts[] = {0, 1, 1, 2, 3, 8, 20, INT64_C(1) << 62};
    ret->count = 0;
    for (size_t i = 0; resource_names[i]; i++)
        if (one_in(world, 2)) {
            ret->items[ret->count].name = resource_names[i];
            ret->items[ret->count++].amount = ANY(world, amounts);
        }
}

static void any_amounts(struct world *world, struct oracle_request *ret)
{
    static const int64_t cpus[] = {0, 0, 0, 0, 1000, 2000, 500, 1, 333, 4000, INT64_C(4000000000000000)};
    static const int64_t memory[] = {0, 0, 0, 1, 512, 1 << 20, INT64_C(1) << 30, INT64_C(3) << 30, INT64_C(1) << 60};
    ret->cpus_milli = ANY(world, cpus);
    ret->memory = ANY(world, memory);
    if (one_in(world, 4))
        ret->memory = (int64_t)world_draw(world, 1000) << world_draw(world, 22);
    if (one_in(world, 4))
        ret->cpus_milli = world_draw(world, 5000);
}

void any_request(struct world *world, struct oracle_request *ret)
{
    static const char *const networks[] = {"", "", "", "bridge", "host", "back"};
    *ret = (struct oracle_request){.image = one_in(world, 2) ? ANY(world, images) : "",
                                   .network_mode = ANY(world, networks),
                                   .name = one_in(world, 3) ? any_name(world, false) : "",
                                   .swarm_id = one_in(world, 3) ? any_swarm_id(world) : "",
                                   .pid_mode = any_mode(world, 40),
                                   .ipc_mode = any_mode(world, 40)};
    if (one_in(world, 40))
        ret->network_mode = any_mode(world, 1);
    any_amounts(world, ret);
    if (one_in(world, 6))
        any_resources(world, &ret->resources);
    any_labels(world, &ret->labels);
    some(world, &ret->constraints, world->patterns ? 2 : 5, any_constraint);
    some(world, &ret->affinities, world->patterns ? 2 : 5, any_affinity);
    some(world, &ret->whitelists, 18, any_whitelist);
    if (one_in(world, 3))
        any_ports(world, &ret->ports, 2); /* more would come in another order from a body */
    any_exposed(world, &ret->exposed);
    some(world, &ret->volumes_from, 16, any_target);
    some(world, &ret->links, 18, any_target);
}
