/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slow, obvious scheduler: classic Swarm's rules and nothing else, over plain lists of nodes and containers that are
 * walked and summed for each decision. It shares no code with libswarm, and is what libswarm is compared with.
 *
 * Texts are borrowed for as long as the oracle; oracle_text() makes such. No text is NULL: "" is none.
 */
#ifndef TESTS_KIT_ORACLE_H
#define TESTS_KIT_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_ITEMS 8
#define ORACLE_NODES 16
#define ORACLE_FOUND 1024
#define ORACLE_ERROR 8192

struct oracle_list {
    const char *items[ORACLE_ITEMS];
    size_t count;
};

struct oracle_pairs {
    struct {
        const char *key, *value;
    } items[ORACLE_ITEMS];
    size_t count;
};

/* Named whole numbers. */
struct oracle_amounts {
    struct {
        const char *name;
        int64_t amount;
    } items[ORACLE_ITEMS];
    size_t count;
};

struct oracle_port {
    const char *container_port, *host_ip, *host_port;
};

struct oracle_ports {
    struct oracle_port items[ORACLE_ITEMS];
    size_t count;
};

/* What is asked for. */
struct oracle_request {
    const char *name, *image, *swarm_id, *network_mode, *pid_mode, *ipc_mode;
    int64_t cpus_milli, memory;
    struct oracle_amounts resources;
    struct oracle_pairs labels;
    struct oracle_list constraints, affinities, whitelists;
    struct oracle_ports ports;
    struct oracle_list exposed, volumes_from, links;
};

struct oracle_image {
    const char *id;
    struct oracle_list tags;
};

struct oracle_node {
    struct oracle_node *next;
    const char *id, *name;
    int64_t cpus_milli, memory; /* of the machine */
    double overcommit;
    struct oracle_amounts resources;
    int health;
    int availability; /* 0 active, 1 paused, 2 draining */
    struct oracle_pairs labels;
    struct oracle_image images[ORACLE_ITEMS];
    size_t image_count;
    void *twin; /* the caller's */
};

/* Of a node: a container, or the place of one that is being created ("pending"). */
struct oracle_container {
    struct oracle_container *next;
    struct oracle_node *node;
    const char *id; /* "" while it is pending */
    struct oracle_list names;
    struct oracle_request request;
    struct oracle_ports bound;
    int state;  /* 4 and 5 are stopped */
    void *twin; /* the caller's, as is the next */
    bool *flag;
};

struct oracle_text;

struct oracle {
    struct oracle_node *nodes;           /* in the order they came */
    struct oracle_container *containers; /* of all nodes, in no order */
    struct oracle_list held;             /* names */
    /* What stopped containers do not count for. */
    bool ports_excepted, slots_excepted, resources_excepted;
    struct oracle_text *texts;
};

struct oracle *oracle_new(void);
void oracle_free(struct oracle *oracle);
const char *oracle_text(struct oracle *oracle, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct oracle_node *oracle_add_node(struct oracle *oracle, const char *id, const char *name);
/* With all that is on it. */
void oracle_remove_node(struct oracle *oracle, struct oracle_node *node);
/* @p id "": a place. It has the request's name. */
struct oracle_container *oracle_add_container(struct oracle *oracle, struct oracle_node *node, const char *id,
                                              const struct oracle_request *request);
void oracle_remove_container(struct oracle *oracle, struct oracle_container *container);
/* The container of that id on that node, NULL if there is none. */
struct oracle_container *oracle_find(const struct oracle *oracle, const struct oracle_node *node, const char *id);

struct oracle_sums {
    int64_t cpus_milli, memory, total_cpus_milli, total_memory;
    size_t containers; /* without places */
    size_t all;        /* with them, as slots go */
};
struct oracle_sums oracle_sums(const struct oracle *oracle, const struct oracle_node *node);

int64_t oracle_amount(const struct oracle_amounts *amounts, const char *name);
/* What containers and places ask for of a named resource. */
int64_t oracle_used(const struct oracle *oracle, const struct oracle_node *node, const char *name);
bool oracle_stopped(const struct oracle_container *container);

/* Whether a name is taken, by others than @p except (NULL: nobody is excepted). */
bool oracle_name_taken(const struct oracle *oracle, const char *name, const struct oracle_container *except);

struct oracle_question {
    const struct oracle_request *request;
    const char *strategy; /* spread, binpack, random */
    const char *const *filters;
    size_t filter_count;
    const struct oracle_container *replaces; /* NULL: none */
};

enum oracle_verdict { ORACLE_GRANTED, ORACLE_REFUSED, ORACLE_MALFORMED, ORACLE_NAME_TAKEN };

struct oracle_nodes {
    struct oracle_node *items[ORACLE_NODES];
    size_t count;
};

/* Why a node does not take it: the first thing that is in the way. */
struct oracle_why {
    const struct oracle_node *node;
    const char *reason; /* in one word; NULL: it could have taken it */
    const char *by;     /* the filter or strategy; NULL: neither */
    char detail[1100];  /* "" is none */
    int64_t shortage;   /* above 0 where an amount is short */
};

struct oracle_answer {
    enum oracle_verdict verdict;
    struct oracle_nodes candidates, best;
    bool soft_dropped;
    char error[ORACLE_ERROR]; /* classic Swarm's lines */
    char excluded[128];       /* the line after those: what was no candidate; "" is none */
    struct oracle_why why[ORACLE_NODES];
    size_t why_count;
};

void oracle_ask(const struct oracle *oracle, const struct oracle_question *question, struct oracle_answer *ret);

/* The nodes that could take it if they were empty, healthy and active. */
void oracle_would_fit(const struct oracle *oracle, const struct oracle_question *question, struct oracle_nodes *ret,
                      bool *ret_malformed);
/* Whether a container has one of the ports that are asked for. */
bool oracle_blocks(const struct oracle_container *container, const struct oracle_request *request);

/* What a user means by a reference: every container that may be the answer. "ambiguous" where they are distinct;
 * "chained" where only a third one makes two of them the same, of which no rule says what they are. */
struct oracle_found {
    struct oracle_container *items[ORACLE_FOUND];
    size_t count;
    bool ambiguous, chained;
};
void oracle_look_up(const struct oracle *oracle, const char *reference, struct oracle_found *ret);
/* The same rules on one node, for dependencies: whether it has the one that is meant. */
bool oracle_node_has(const struct oracle *oracle, const struct oracle_node *node, const char *reference);

#endif
