/* SPDX-License-Identifier: Apache-2.0 */
#include <swarm/plugin.h>

#include "abi.h"
#include "error.h"
#include "registry.h"

/* Size of the struct when it was first published (1.3). */
#define PLUGIN_FIRST (offsetof(struct swarm_plugin, enter) + sizeof(void *))
_Static_assert(PLUGIN_FIRST == 4 * sizeof(void *), "swarm_plugin keeps the layout it was published with");
_Static_assert(SWARM_PLUGIN_ABI == SWARM_VERSION_MAJOR, "plugins are built again when the soname changes, only then");

static int check(const struct swarm_plugin *plugin, struct swarm_plugin *ret, struct swarm_error **reterr)
{
    if (plugin->abi != SWARM_PLUGIN_ABI)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "plugin: it was built for plugin ABI %u, this library has %u: build it with the "
                                "headers of libswarm %s",
                                (unsigned)plugin->abi, (unsigned)SWARM_PLUGIN_ABI, SWARM_VERSION);
    if (swarm__abi_read(ret, sizeof(*ret), PLUGIN_FIRST, plugin) != 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "plugin: its entry has size %zu, this library knows %zu: begin it with "
                                "SWARM_PLUGIN_HEAD, or use a newer libswarm",
                                plugin->size, sizeof(*ret));
    if (!ret->name || !*ret->name)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "plugin: its entry has no name");
    if (!ret->enter)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "plugin %s: its entry has no enter function", ret->name);
    return 0;
}

/* What the plugin answered, as our callers understand it. */
static int failed(const struct swarm_plugin *plugin, int code, struct swarm_error *error, struct swarm_error **reterr)
{
    int known = swarm__error_is_code(code) ? code : SWARM_ERR_INVALID;
    if (!reterr)
        return known;
    if (!error)
        return swarm__error_set(reterr, known, "plugin %s: it answered %d and no error", plugin->name, code);
    swarm__error_prefix(&error, "plugin %s", plugin->name);
    *reterr = error;
    return known;
}

int swarm_plugin_enter(const struct swarm_plugin *plugin, struct swarm_registry *registry, const char *arguments,
                       struct swarm_error **reterr)
{
    if (!plugin || !registry)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "plugin: a plugin's entry and a registry are needed");
    struct swarm_plugin known = {0};
    int code = check(plugin, &known, reterr);
    if (code != 0)
        return code;
    struct swarm__registry_mark mark = swarm__registry_mark(registry);
    struct swarm_error *error = NULL;
    code = known.enter(registry, arguments ? arguments : "", reterr ? &error : NULL);
    if (code == 0)
        return 0;
    /* First the error: its text may come from what the plugin registered. */
    code = failed(&known, code, error, reterr);
    swarm__registry_undo(registry, mark);
    return code;
}
