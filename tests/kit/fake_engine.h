/* SPDX-License-Identifier: Apache-2.0 */
/* Fake Docker engines: what they are and what they have. One thread. Functions that may fail answer the request by
 * themselves, in dockerd's words, and return -1 then; the connection is NULL where nobody is to be answered. */
#ifndef TESTS_KIT_FAKE_ENGINE_H
#define TESTS_KIT_FAKE_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_http.h"
#include "fake_text.h"

#define FAKE_EVENTS_MAX 256 /* that an engine remembers, as dockerd does */
#define FAKE_ID_SIZE 65

struct fake_world;
struct fake_engine;

/* --- what a container was created from; shared by those that are alike --- */

struct fake_port {
    char port[16]; /* "80/tcp" */
    char *host_ip; /* "0.0.0.0" where none was given */
    int host_port; /* 0: any; -1: exposed only */
};

/* What a command does. */
struct fake_program {
    char *output;        /* lines, each begins with '1' or '2' for its stream; NULL: none */
    int64_t duration_ms; /* -1: until it is stopped */
    int exit_code;
    bool echoes; /* what it reads, until that ends */
};

struct fake_spec {
    unsigned references;
    char *image;                         /* as it was asked for */
    char image_id[FAKE_ID_SIZE];         /* when the first container was made */
    char *path, *arguments, *command;    /* arguments: JSON */
    char *config, *host_config, *labels; /* JSON objects' members, without the braces */
    char *hostname;                      /* NULL: the id's beginning */
    char *mounts;                        /* JSON, without the brackets */
    char *network_mode, **networks;      /* NULL-ended */
    char **volumes;                      /* named ones, NULL-ended */
    struct fake_port *ports;
    size_t port_count;
    json_t *label_object;
    struct fake_program program;
    bool tty, open_stdin, auto_remove, own_swarm_id;
};

/* NULL with *ret_status and *reterr (new). */
struct fake_spec *fake_spec_new(json_t *body, int *ret_status, char **reterr);
struct fake_spec *fake_spec_ref(struct fake_spec *spec);
void fake_spec_unref(struct fake_spec *spec);
/* @p words: the command and its arguments; @p unknown_ms: how long what is not known takes. */
void fake_program_parse(struct fake_program *program, const char *const *words, size_t count, int64_t unknown_ms);
void fake_program_clear(struct fake_program *program);

/* --- containers --- */

enum fake_state { FAKE_CREATED, FAKE_RUNNING, FAKE_PAUSED, FAKE_EXITED };

/* A connection that waits for something of a container. */
enum fake_watch { FAKE_WATCH_ATTACH, FAKE_WATCH_LOGS, FAKE_WATCH_NEXT_EXIT, FAKE_WATCH_REMOVED };
struct fake_watcher {
    struct fake_watcher *next;
    struct fake_container *container;
    struct fake_connection *connection;
    enum fake_watch kind;
    bool out, err, in, timestamps;
};

struct fake_log {
    struct fake_log *next;
    int64_t ns;
    int stream; /* 1 or 2 */
    size_t length;
    char text[];
};

/* Only those that do something have one. */
struct fake_life {
    struct http_timer exit;
    struct fake_watcher *watchers;
    struct fake_log *log, **log_end;
    int *host_ports;    /* of spec->ports, while it runs */
    char **networks;    /* NULL: the spec's */
    struct bytes input; /* that came before it was started */
    bool input_ended;
};

struct fake_container {
    char id[FAKE_ID_SIZE];
    uint8_t state; /* enum fake_state */
    bool preloaded;
    int exit_code;
    unsigned serial; /* of its engine: its IP follows */
    struct fake_engine *engine;
    struct fake_spec *spec;
    char *name;
    int64_t created_ns, started_ns, finished_ns;
    struct fake_life *life;
};

/* --- what else an engine has --- */

struct fake_image {
    char id[FAKE_ID_SIZE]; /* without "sha256:" */
    char **tags;
    size_t tag_count;
    int64_t size;
};
struct fake_images {
    unsigned references; /* engines share them until they change */
    struct fake_image *images;
    size_t count;
};

struct fake_network {
    struct fake_network *next;
    char id[FAKE_ID_SIZE];
    char *name, *driver, *options, *labels; /* JSON */
    int64_t created_ns;
    bool internal, attachable, predefined;
    unsigned subnet;
};

struct fake_volume {
    struct fake_volume *next;
    char *name, *driver, *labels, *options; /* JSON */
    int64_t created_ns;
};

struct fake_exec {
    struct fake_exec *next;
    char id[FAKE_ID_SIZE];
    char container[FAKE_ID_SIZE];
    json_t *body;
    struct fake_program program;
    bool started, running;
    int exit_code;
    struct http_timer exit;
    struct fake_engine *engine;
    struct fake_connection *connection;
};

struct fake_event {
    int64_t ns;
    json_t *filterable; /* NULL until somebody filters */
    char *text;         /* a line */
};

/* What the engine does wrong. All zero: nothing. */
enum fake_answer_fault { FAKE_ANSWER_FINE, FAKE_ANSWER_CUT, FAKE_ANSWER_GARBAGE, FAKE_ANSWER_STATUS };
struct fake_faults {
    bool stopped; /* nobody listens */
    bool silent;  /* accepts and never answers */
    enum fake_answer_fault answer;
    int delay_ms;                   /* of each answer */
    int status;                     /* of FAKE_ANSWER_STATUS */
    char *path;                     /* only answers to paths that begin so; NULL: all */
    unsigned count;                 /* how many answers; 0: until told otherwise */
    const struct fake_engine *twin; /* whose ID it has */
};

struct fake_engine {
    struct fake_listener listener; /* first */
    struct fake_world *world;
    unsigned number;
    char address[32];
    char id[64], name[32];
    struct fake_container **containers; /* in order of creation */
    size_t container_count, container_room;
    unsigned next_serial, next_port, next_subnet;
    struct fake_images *images;
    struct fake_network *networks;
    struct fake_volume *volumes;
    struct fake_exec *execs;
    struct fake_event *events; /* a ring */
    unsigned event_count, event_next;
    struct fake_subscriber *subscribers;
    int64_t clock_ns; /* how far its clock is off */
    int64_t last_event_ns;
    struct fake_faults faults;
    /* churn: containers die and start again */
    struct http_timer churn;
    double churn_rate, churn_due;
};

struct fake_options {
    uint64_t seed;
    unsigned engines, first, containers;
    const char *base_address; /* of engine 0 */
    unsigned port;
    int cpus;
    int64_t memory;
    const char *const *labels; /* of engines; NULL-ended */
    const char *const *container_labels;
    bool own_swarm_ids;
};

struct fake_world {
    struct fake_options options;
    struct fake_loop *loop;
    struct fake_engine *engines;
    uint64_t random, serial;
    struct fake_images *images; /* of a new engine */
    struct fake_listener control;
    int64_t begin_ns;
};

/* --- world (fake_engine.c) --- */

/* Ends the program where an address cannot be listened on. */
struct fake_world *fake_world_new(struct fake_loop *loop, const struct fake_options *options);
void fake_world_free(struct fake_world *world);
/* By that engine's own clock. */
int64_t fake_now(const struct fake_engine *engine);
const char *fake_engine_id(const struct fake_engine *engine);
void fake_new_id(struct fake_engine *engine, char id[FAKE_ID_SIZE]);

/* --- containers (fake_container.c) --- */

/* By id, name, or a beginning of the id that is one's alone. */
struct fake_container *fake_find(struct fake_engine *engine, const char *reference);
/* The same, or the 404. */
struct fake_container *fake_must_find(struct fake_connection *connection, const char *reference);
struct fake_container *fake_find_name(struct fake_engine *engine, const char *name);
/* @p spec is taken. Without an event. */
struct fake_container *fake_container_add(struct fake_engine *engine, struct fake_spec *spec, const char *id,
                                          const char *name);
void fake_container_free(struct fake_container *container);
struct fake_life *fake_life(struct fake_container *container);
bool fake_is_running(const struct fake_container *container);
/* NULL-ended; borrowed. */
char *const *fake_networks_of(const struct fake_container *container);
int fake_start(struct fake_container *container, struct fake_connection *connection);
/* It dies of a signal, or ends by itself. @p signal: 0 for the latter. */
void fake_die(struct fake_container *container, int exit_code, int signal);
void fake_remove(struct fake_container *container);
void fake_log_write(struct fake_container *container, int stream, const char *text, size_t length);
void fake_watcher_add(struct fake_container *container, struct fake_connection *connection,
                      const struct fake_watcher *what);
void fake_watcher_cancel(struct fake_connection *connection);

/* --- events (fake_events.c) --- */

/* @p attributes: JSON members, without the braces, may be empty. */
void fake_emit(struct fake_engine *engine, const char *type, const char *action, const char *id, const char *from,
               const char *attributes);
/* @p extra: more attributes, JSON members that end with a comma, or "". */
void fake_emit_container(struct fake_container *container, const char *action, const char *extra);
void fake_emit_network(struct fake_container *container, const char *network, const char *action);
void fake_events_serve(struct fake_connection *connection);
/* Ends every event stream. */
void fake_events_cut(struct fake_engine *engine);
void fake_events_free(struct fake_engine *engine);
size_t fake_events_streams(const struct fake_engine *engine);

/* --- answers' texts (fake_render.c) --- */

void fake_render_entry(struct bytes *out, const struct fake_container *container, bool size);
void fake_render_inspect(struct bytes *out, const struct fake_container *container);
void fake_render_info(struct bytes *out, const struct fake_engine *engine);
void fake_render_version(struct bytes *out);

/* --- images, networks, volumes (fake_objects.c) --- */

struct fake_images *fake_images_new(uint64_t seed);
void fake_images_unref(struct fake_images *images);
/* @p containers: that use it, -1: not counted. */
void fake_render_image(struct bytes *out, const struct fake_image *image, int containers);
/* By name, with or without tag, or by id; NULL: none. */
const struct fake_image *fake_image_find(const struct fake_engine *engine, const char *reference);
void fake_image_add(struct fake_engine *engine, const char *name);
bool fake_image_untag(struct fake_engine *engine, const char *name);
/* False where there is no such image. */
bool fake_image_tag(struct fake_engine *engine, const char *reference, const char *name);
struct fake_network *fake_network_find(struct fake_engine *engine, const char *reference);
struct fake_network *fake_network_add(struct fake_engine *engine, const char *name, const char *driver);
void fake_network_remove(struct fake_engine *engine, struct fake_network *network);
void fake_render_network(struct bytes *out, const struct fake_engine *engine, const struct fake_network *network,
                         bool containers);
struct fake_volume *fake_volume_find(struct fake_engine *engine, const char *name);
struct fake_volume *fake_volume_add(struct fake_engine *engine, const char *name, const char *driver);
void fake_volume_remove(struct fake_engine *engine, struct fake_volume *volume);
void fake_render_volume(struct bytes *out, const struct fake_volume *volume);
void fake_objects_free(struct fake_engine *engine);
void fake_objects_new(struct fake_engine *engine);

/* --- faults (fake_faults.c) --- */

/* What was said of an answer, done to it: before the handler (true: it is answered), and after it. */
bool fake_faults_instead(struct fake_connection *connection);
void fake_faults_spoil(struct fake_connection *connection);
/* By a control's order: {"fault": "stop", …}. -1 with *reterr, new. */
int fake_faults_order(struct fake_engine *engine, const json_t *order, char **reterr);
const char *fake_faults_text(const struct fake_engine *engine);
/* So many containers a second die and start again; 0: none. */
void fake_churn(struct fake_engine *engine, double rate);

/* --- routes --- */

void fake_routes(struct fake_connection *connection);          /* fake_routes.c */
void fake_route_container(struct fake_connection *connection); /* fake_routes_container.c: "/containers/…" */
void fake_route_exec(struct fake_connection *connection);      /* fake_exec.c: "/exec/…" */
void fake_exec_create(struct fake_connection *connection, struct fake_container *container);
void fake_execs_free(struct fake_engine *engine);
void fake_route_attach(struct fake_connection *connection, struct fake_container *container); /* fake_stream.c */
void fake_route_logs(struct fake_connection *connection, struct fake_container *container);
void fake_route_wait(struct fake_connection *connection, struct fake_container *container);
void fake_route_list(struct fake_connection *connection);  /* fake_list.c */
void fake_route_image(struct fake_connection *connection); /* fake_routes_objects.c: "/images/…" */
void fake_route_network(struct fake_connection *connection);
void fake_route_volume(struct fake_connection *connection); /* fake_routes_volume.c: "/volumes" */
void fake_route_usage(struct fake_connection *connection);

/* Filters as clients send them, {"key": ["value"]} or {"key": {"value": true}}; the values as an array, new, NULL where
 * the key is not there. */
json_t *fake_filter(const json_t *filters, const char *key);
/* The query's filters, an empty object where there are none; NULL: they are malformed, answered. */
json_t *fake_filters_of(struct fake_connection *connection);
/* A value of @p values is @p text, or "key=value" or "key" of @p labels. */
bool fake_filter_exact(const json_t *values, const char *text);
bool fake_filter_labels(const json_t *values, const json_t *labels);

#endif
