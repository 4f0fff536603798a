/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines "n1" and "n2" behind the API of api_kit.h, that list networks and volumes and answer all else alike. */
#ifndef TEST_API_NODES_H
#define TEST_API_NODES_H

#include "api_kit.h"
#include "http_peer.h"

#define API_NODES 2

struct api_node {
    struct http_peer *peer;
    struct engine *engine;          /* borrowed from the pool */
    const char *networks, *volumes; /* what it lists */
    int status;                     /* of all other answers */
    const char *body;
};
extern struct api_node api_nodes[API_NODES];

/* Group set-up and tear-down, in place of those of api_kit.h. */
int api_nodes_set_up(void **state);
int api_nodes_tear_down(void **state);

/* Both are well, have nothing and answer with 200 and "{}". */
void api_nodes_reset(void);
/* Members of the list that it gives, which the pool takes over at once. */
void api_node_set_networks(int number, const char *list);
void api_node_set_volumes(int number, const char *list);
/* What it answers to all but these lists. */
void api_node_answer(int number, int status, const char *body);
/* It has a container of that id and name, with these NetworkSettings.Networks and Mounts. */
void api_node_add_container(int number, const char *id, const char *name, const char *networks, const char *mounts);
int api_node_asked(int number, const char *part);
/* It was asked something whose first line contains that. */
const char *api_node_last(int number, const char *line);

#endif
