/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define SUFFIX ".so"

/* The path may have colons itself, so the end is looked for by the suffix. */
size_t plugin_split(const char *text, const char **ret_arguments)
{
    const char *end = strstr(text, SUFFIX ":");
    size_t length = end == NULL ? strlen(text) : (size_t)(end - text) + strlen(SUFFIX);

    *ret_arguments = end == NULL ? "" : text + length + 1;
    return length;
}

static int refuse(char **reterr, const char *file, const char *what, const char *why)
{
    if (asprintf(reterr, "--plugin %s: %s%s", file, what, why) < 0)
        *reterr = NULL;
    return -1;
}

/* dlopen() would look for a name without a slash among the system's libraries: it gets the whole path. */
static void *open_plugin(const char *file, char **reterr)
{
    char *path = realpath(file, NULL);
    void *handle = NULL;

    if (path == NULL) {
        refuse(reterr, file, "cannot be opened: ", strerror(errno));
        return NULL;
    }
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        refuse(reterr, file, "cannot be opened: ", dlerror());
    free(path);
    return handle;
}

static int enter(const char *file, const struct swarm_plugin *plugin, struct swarm_registry *registry,
                 const char *arguments, char **reterr)
{
    struct swarm_error *error = NULL;
    int code = swarm_plugin_enter(plugin, registry, arguments, &error);

    if (code == 0) {
        log_info("Using plugin %s", file);
        return 0;
    }
    refuse(reterr, file, "", swarm_error_message(error));
    swarm_error_free(error);
    return -1;
}

static int load(struct swarm_registry *registry, const char *text, char **reterr)
{
    const char *arguments;
    size_t length = plugin_split(text, &arguments);
    char *file = strndup(text, length);
    const struct swarm_plugin *plugin;
    void *handle;
    int r = -1;

    if (file == NULL)
        return -1;
    handle = open_plugin(file, reterr);
    plugin = handle == NULL ? NULL : dlsym(handle, SWARM_PLUGIN_SYMBOL);
    if (plugin != NULL)
        r = enter(file, plugin, registry, arguments, reterr);
    else if (handle != NULL)
        refuse(reterr, file, "it is no plugin: it has no symbol ", SWARM_PLUGIN_SYMBOL);
    free(file);
    return r;
}

int plugins_load(struct swarm_registry **ret_registry, const char *const *list, char **reterr)
{
    struct swarm_registry *registry = NULL;

    *reterr = NULL;
    if (swarm_registry_new(&registry, NULL) < 0)
        return -1;
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (load(registry, list[i], reterr) < 0) {
            swarm_registry_free(registry);
            return -1;
        }
    }
    *ret_registry = registry;
    return 0;
}
