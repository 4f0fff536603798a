/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_PLUGIN_H
#define SWARM_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>
#include <swarm/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * A plugin is a shared object with filters and strategies (ops.h) that a program loads by its file's name, as
 * `swarm-manage --plugin FILE.so` does. It defines one variable:
 *
 *     #include <swarm/plugin.h>
 *
 *     const struct swarm_plugin swarm_plugin_entry = {SWARM_PLUGIN_HEAD, "racks", enter};
 *
 * and is built with `cc -shared -fPIC racks.c -o racks.so $(pkg-config --cflags --libs libswarm)`.
 *
 * The program finds the variable by its name, SWARM_PLUGIN_SYMBOL, and gives it to swarm_plugin_enter(). This library
 * opens no files itself.
 */

/** Version of what a plugin and the library agree on: this file, ops.h, and the functions that plugins call. Raised
 *  only together with the library's soname; what is added meanwhile keeps the number. */
#define SWARM_PLUGIN_ABI 1

/** Name of the variable that a plugin defines, for dlsym(). */
#define SWARM_PLUGIN_SYMBOL "swarm_plugin_entry"

/** The first two members of a struct swarm_plugin. */
#define SWARM_PLUGIN_HEAD sizeof(struct swarm_plugin), SWARM_PLUGIN_ABI

/** What a plugin says of itself. New members go to the end; the first two never change. */
struct swarm_plugin {
    size_t size;      /**< Size of this struct as the plugin was built with; by SWARM_PLUGIN_HEAD. */
    uint32_t abi;     /**< SWARM_PLUGIN_ABI as the plugin was built with; by SWARM_PLUGIN_HEAD. */
    const char *name; /**< What errors call it; not empty. */
    /**
     * Register filters and strategies.
     *
     * @param registry   Where to; only for this call.
     * @param arguments  The text that the user gave for this plugin, "" where there is none. Only for this call.
     * @param reterr     As swarm_error_new() takes it.
     *
     * @return 0, or a code with an error that says why (swarm_error_new()): then what was registered is taken out
     *         again, and its @c destroy runs.
     */
    int (*enter)(struct swarm_registry *registry, const char *arguments, struct swarm_error **reterr);
};

/** The variable that a plugin defines; programs do not use it by this name but look it up in each plugin. */
#if defined(__GNUC__)
extern __attribute__((visibility("default"))) const struct swarm_plugin swarm_plugin_entry;
#else
extern const struct swarm_plugin swarm_plugin_entry;
#endif

/**
 * Check a plugin that the caller has loaded, and let it register what it has.
 *
 * @param plugin     Its variable SWARM_PLUGIN_SYMBOL. Not needed afterwards; its code is, as long as the registry or a
 *                   scheduler made with it lives.
 * @param registry   Gets what it registers; as before where this fails.
 * @param arguments  Passed on; NULL is "".
 * @param reterr     Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0; SWARM_ERR_INVALID (NULL; built for another SWARM_PLUGIN_ABI: the message says both numbers; a size that
 *         this library cannot read; no name or enter function; a code that this library does not know);
 *         SWARM_ERR_EXISTS (a filter or a strategy has such a name already); SWARM_ERR_NOMEM; what else the plugin
 *         answers. Messages begin with "plugin NAME: " as soon as its name is known.
 *
 * Thread safety: one thread at a time per registry. Since: 1.3
 */
SWARM_EXPORT int swarm_plugin_enter(const struct swarm_plugin *plugin, struct swarm_registry *registry,
                                    const char *arguments, struct swarm_error **reterr);

#ifdef __cplusplus
}
#endif
#endif
