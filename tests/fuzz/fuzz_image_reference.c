/* SPDX-License-Identifier: Apache-2.0 */
/* Image references: the first line of the input is what an affinity asks for, each other one a reference that an image
 * goes by (a digest where it begins with '#'). What is found is what a plain search for id, references and their
 * repositories finds, and nothing is left in the index once the image has gone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/swarm.h>

#include "cluster.h"
#include "expr.h"
#include "image.h"
#include "request.h"

#define ID "sha256:0123"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* The plain way: up to '@'; else up to the last ':' behind the last '/'. */
static size_t repository_of(const char *reference)
{
    size_t length = strlen(reference), cut = length;
    for (size_t i = 0; i < length; i++) {
        if (reference[i] == '@')
            return i;
        if (reference[i] == '/')
            cut = length;
        else if (reference[i] == ':')
            cut = i;
    }
    return cut;
}

static int is_text(const char *text, size_t length, const char *other)
{
    return strlen(other) == length && memcmp(text, other, length) == 0;
}

/* Adds the references. @return Whether one of them, or its repository, is the wanted text. */
static int add_references(struct swarm_image *image, char *lines, const char *wanted)
{
    int hit = strcmp(wanted, ID) == 0;
    for (char *reference; (reference = strsep(&lines, "\n")) != NULL;) {
        if (*reference == '#') {
            require(swarm_image_add_digest(image, reference + 1, NULL) == (reference[1] ? 0 : SWARM_ERR_INVALID));
            continue;
        }
        int code = swarm_image_add_tag(image, reference, NULL);
        require(code == (*reference ? 0 : SWARM_ERR_INVALID));
        if (code != 0)
            continue;
        size_t length = repository_of(reference);
        require(swarm__image_repository_length(reference) == length);
        hit = hit || strcmp(reference, wanted) == 0 || is_text(reference, length, wanted);
    }
    return hit;
}

static int is_found(struct swarm_cluster *cluster, const char *wanted)
{
    static const char *const filters[] = {"affinity"};
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_request *request = NULL;
    struct swarm_decision *decision = NULL;
    char *expression = malloc(strlen(wanted) + 8);
    require(expression != NULL);
    strcpy(stpcpy(expression, "image=="), wanted);
    options.filters = filters;
    options.filter_count = 1;
    require(swarm_scheduler_new(&scheduler, &options, NULL) == 0 && swarm_request_new(&request, NULL) == 0);
    require(swarm_request_add_affinity(request, expression, NULL) == 0);
    int code = swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, NULL);
    require(code == 0 || code == SWARM_ERR_NO_NODE);
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    free(expression);
    return code == 0;
}

/* Whether an affinity can ask for exactly that text. */
static int can_be_asked(const char *wanted)
{
    return *wanted != '\0' && *wanted != '/' &&
           strspn(wanted, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_/ ") == strlen(wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct swarm_cluster *cluster = NULL;
    struct swarm_node *node = NULL;
    struct swarm_image *image = NULL;
    char *text = malloc(size + 1), *lines = text;
    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *wanted = strsep(&lines, "\n");
    require(swarm_cluster_new(&cluster, NULL) == 0 && swarm_image_new(&image, ID, NULL) == 0);
    require(swarm_cluster_add_node(cluster, "n", "n", NULL, &node, NULL) == 0);
    int hit = add_references(image, lines, wanted);
    for (int round = 0; round < 2; round++)
        require(swarm_node_set_images(node, (const struct swarm_image *const *)&image, 1, NULL) == 0);
    swarm_image_free(image);
    if (can_be_asked(wanted))
        require(is_found(cluster, wanted) == hit);
    require(swarm_node_set_images(node, NULL, 0, NULL) == 0);
    require(cluster->images.keys.count == 0);
    if (can_be_asked(wanted))
        require(!is_found(cluster, wanted));
    swarm_cluster_free(cluster);
    free(text);
    return 0;
}
