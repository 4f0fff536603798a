/* SPDX-License-Identifier: Apache-2.0 */
/* "/images", "/networks", "/volumes" and what they use. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_engine.h"

static bool is(const struct fake_connection *connection, const char *method)
{
    const char *have = connection->request.method;

    return strcmp(have, method) == 0 || (strcmp(method, "GET") == 0 && strcmp(have, "HEAD") == 0);
}

static void answer(struct fake_connection *connection, int status, struct bytes *body)
{
    say_text(body, "\n");
    fake_answer_json(connection, status, body);
    bytes_free(body);
}

static void done(struct fake_connection *connection)
{
    fake_answer(connection, 204, NULL, NULL, 0);
}

static void no_page(struct fake_connection *connection)
{
    fake_answer_error(connection, 404, "page not found");
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static json_t *body_of(struct fake_connection *connection)
{
    json_t *body = json_loads(bytes_at(&connection->request.body), 0, NULL);

    if (!json_is_object(body)) {
        json_decref(body);
        body = NULL;
        fake_answer_error(connection, 400, connection->request.body_length == 0 ? "EOF" : "unexpected EOF");
    }
    return body;
}

/* --- images --- */

static void say_tags(struct bytes *out, const struct fake_image *image)
{
    say_text(out, "[");
    for (size_t i = 0; i < image->tag_count; i++) {
        say_text(out, i > 0 ? "," : "");
        say_json(out, image->tags[i]);
    }
    say_text(out, "]");
}

void fake_render_image(struct bytes *out, const struct fake_image *image, int containers)
{
    say(out,
        "{\"Containers\":%d,\"Created\":1577836800,\"Id\":\"sha256:%s\",\"Labels\":null,\"ParentId\":\"\","
        "\"RepoDigests\":null,\"RepoTags\":",
        containers, image->id);
    say_tags(out, image);
    say(out, ",\"SharedSize\":%d,\"Size\":%" PRId64 ",\"VirtualSize\":%" PRId64 "}", containers < 0 ? -1 : 0,
        image->size, image->size);
}

static void list_images(struct fake_connection *connection)
{
    const struct fake_images *images = connection->engine->images;
    json_t *filters = fake_filters_of(connection), *references;
    struct bytes body = {0};
    size_t count = 0;

    if (filters == NULL)
        return;
    references = fake_filter(filters, "reference");
    say_text(&body, "[");
    for (size_t i = 0; i < images->count; i++) {
        bool listed = json_array_size(references) == 0;

        for (size_t j = 0; !listed && j < json_array_size(references); j++) {
            const char *name = json_string_value(json_array_get(references, j));

            listed = name != NULL && fake_image_find(connection->engine, name) == &images->images[i];
        }
        if (!listed)
            continue;
        say_text(&body, count++ > 0 ? "," : "");
        fake_render_image(&body, &images->images[i], -1);
    }
    say_text(&body, "]");
    answer(connection, 200, &body);
    json_decref(references);
    json_decref(filters);
}

static void inspect_image(struct fake_connection *connection, const struct fake_image *image)
{
    static const char config[] =
        "{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\":false,"
        "\"AttachStderr\":false,\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":[\"PATH=/bin\"],\"Cmd\":"
        "[\"sh\"],\"Image\":\"\",\"Volumes\":null,\"WorkingDir\":\"\",\"Entrypoint\":null,\"OnBuild\":null,\"Labels\":"
        "null}";
    struct bytes body = {0};

    say(&body, "{\"Id\":\"sha256:%s\",\"RepoTags\":", image->id);
    say_tags(&body, image);
    say_text(&body, ",\"RepoDigests\":[],\"Parent\":\"\",\"Comment\":\"\",\"Created\":\"2020-01-01T00:00:00Z\","
                    "\"Container\":\"\",\"ContainerConfig\":");
    say_text(&body, config);
    say_text(&body, ",\"DockerVersion\":\"\",\"Author\":\"\",\"Config\":");
    say_text(&body, config);
    say(&body,
        ",\"Architecture\":\"amd64\",\"Os\":\"linux\",\"Size\":%" PRId64 ",\"VirtualSize\":%" PRId64
        ",\"GraphDriver\":{\"Data\":{\"MergedDir\":\"/var/lib/docker/overlay2/%s/merged\",\"UpperDir\":"
        "\"/var/lib/docker/overlay2/%s/diff\",\"WorkDir\":\"/var/lib/docker/overlay2/%s/work\"},\"Name\":"
        "\"overlay2\"},\"RootFS\":{\"Type\":\"layers\",\"Layers\":[\"sha256:%s\"]},\"Metadata\":"
        "{\"LastTagTime\":\"0001-01-01T00:00:00Z\"}}",
        image->size, image->size, image->id, image->id, image->id, image->id);
    answer(connection, 200, &body);
}

static void emit_image(struct fake_engine *engine, const char *action, const char *id, const char *name)
{
    char *attributes = fake_format("\"name\":\"%s\"", name);

    fake_emit(engine, "image", action, id, "", attributes);
    free(attributes);
}

static void pull(struct fake_connection *connection)
{
    char *name = fake_query(connection->request.query, "fromImage"),
         *tag = fake_query(connection->request.query, "tag");
    const char *given = tag == NULL || tag[0] == '\0' ? "latest" : tag;
    char *whole, *lines;

    if (name == NULL || name[0] == '\0') {
        fake_answer_error(connection, 400, "invalid reference format");
    } else {
        const char *slash = strrchr(name, '/');

        whole =
            strchr(slash == NULL ? name : slash, ':') != NULL ? fake_strdup(name) : fake_format("%s:%s", name, given);
        fake_image_add(connection->engine, whole);
        emit_image(connection->engine, "pull", whole, whole);
        lines = fake_format("{\"status\":\"Pulling from %s\",\"id\":\"%s\"}\r\n{\"status\":\"Digest: sha256:%s\"}\r\n"
                            "{\"status\":\"Status: Downloaded newer image for %s\"}\r\n",
                            name, given, fake_image_find(connection->engine, whole)->id, whole);
        fake_stream_begin(connection, "application/json");
        fake_stream_write(connection, lines, strlen(lines));
        fake_stream_end(connection);
        free(lines);
        free(whole);
    }
    free(name);
    free(tag);
}

/* The archive goes to nowhere; the images that its manifest names are there afterwards. */
static void load(struct fake_connection *connection)
{
    const struct bytes *archive = &connection->request.body;
    static const char key[] = "\"RepoTags\":[";
    const char *at = memmem(bytes_at(archive), bytes_length(archive), key, sizeof(key) - 1);
    struct bytes lines = {0};

    at = at == NULL ? NULL : at + sizeof(key) - 2;
    while (at != NULL && (at = strpbrk(at + 1, "\"]")) != NULL && *at == '"') {
        const char *end;
        char *name;

        end = strchr(at + 1, '"');
        if (end == NULL)
            break;
        name = strndup(at + 1, (size_t)(end - at - 1));
        kit_check(name != NULL);
        if (strchr(name, ':') != NULL) {
            fake_image_add(connection->engine, name);
            emit_image(connection->engine, "load", name, name);
            say(&lines, "{\"stream\":\"Loaded image: %s\\n\"}\r\n", name);
        }
        free(name);
        at = end;
    }
    fake_stream_begin(connection, "application/json");
    fake_stream_write(connection, bytes_at(&lines), bytes_length(&lines));
    fake_stream_end(connection);
    bytes_free(&lines);
}

static void tag(struct fake_connection *connection, const char *reference)
{
    char *repo = fake_query(connection->request.query, "repo"), *with = fake_query(connection->request.query, "tag");
    char *whole = fake_format("%s:%s", repo == NULL ? "" : repo, with == NULL || with[0] == '\0' ? "latest" : with);

    if (repo == NULL || repo[0] == '\0') {
        fake_answer_error(connection, 400, "invalid reference format");
    } else if (!fake_image_tag(connection->engine, reference, whole)) {
        fake_answer_error(connection, 404, "No such image: %s", reference);
    } else {
        emit_image(connection->engine, "tag", whole, whole);
        fake_answer(connection, 201, NULL, NULL, 0);
    }
    free(repo);
    free(with);
    free(whole);
}

static void remove_image(struct fake_connection *connection, const struct fake_image *image, const char *reference)
{
    bool by_id = strncmp(reference, "sha256:", 7) == 0 || strncmp(image->id, reference, strlen(reference)) == 0;
    size_t count = by_id ? image->tag_count : 1;
    char id[FAKE_ID_SIZE];
    struct bytes body = {0};

    strcpy(id, image->id);
    say_text(&body, "[");
    while (count-- > 0 && (image = fake_image_find(connection->engine, by_id ? id : reference)) != NULL) {
        char *name = fake_strdup(image->tags[0]);
        const char *given = by_id ? name : reference;
        const char *slash = strrchr(given, '/');
        char *whole = fake_format("%s%s", given, strchr(slash == NULL ? given : slash, ':') == NULL ? ":latest" : "");

        fake_image_untag(connection->engine, whole);
        emit_image(connection->engine, "untag", id, id);
        say(&body, "%s{\"Untagged\":\"%s\"}", bytes_length(&body) > 1 ? "," : "", whole);
        free(whole);
        free(name);
    }
    if (fake_image_find(connection->engine, id) == NULL) {
        say(&body, ",{\"Deleted\":\"sha256:%s\"}", id);
        emit_image(connection->engine, "delete", id, id);
    }
    say_text(&body, "]");
    answer(connection, 200, &body);
}

/* "<name>/<what>": the name may have slashes. */
static void named_image(struct fake_connection *connection, const char *path)
{
    const char *slash = strrchr(path, '/');
    bool remove = is(connection, "DELETE");
    char *name = remove || slash == NULL ? fake_strdup(path) : strndup(path, (size_t)(slash - path));
    const char *what = remove || slash == NULL ? "" : slash;
    const struct fake_image *image;

    kit_check(name != NULL);
    image = fake_image_find(connection->engine, name);
    if (image == NULL && is(connection, "GET") && strcmp(what, "/json") == 0)
        fake_answer_error(connection, 404, "no such image: %s: No such image: %s%s", name, name,
                          strchr(name, ':') == NULL ? ":latest" : "");
    else if (image == NULL)
        fake_answer_error(connection, 404, "No such image: %s%s", name, strchr(name, ':') == NULL ? ":latest" : "");
    else if (remove)
        remove_image(connection, image, name);
    else if (is(connection, "GET") && strcmp(what, "/json") == 0)
        inspect_image(connection, image);
    else if (is(connection, "GET") && strcmp(what, "/history") == 0)
        fake_answer(connection, 200, "application/json", "[]\n", 3);
    else if (is(connection, "POST") && strcmp(what, "/tag") == 0)
        tag(connection, name);
    else
        no_page(connection);
    free(name);
}

void fake_route_image(struct fake_connection *connection)
{
    const char *path = connection->request.path + strlen("/images/");

    if (is(connection, "GET") && strcmp(path, "json") == 0)
        list_images(connection);
    else if (is(connection, "POST") && strcmp(path, "create") == 0)
        pull(connection);
    else if (is(connection, "POST") && strcmp(path, "load") == 0)
        load(connection);
    else if (is(connection, "POST") && strcmp(path, "prune") == 0)
        fake_answer(connection, 200, "application/json", "{\"ImagesDeleted\":null,\"SpaceReclaimed\":0}\n", 42);
    else
        named_image(connection, path);
}

/* --- networks --- */

static bool is_network_listed(const struct fake_network *network, const json_t *filters)
{
    json_t *names = fake_filter(filters, "name"), *ids = fake_filter(filters, "id"),
           *types = fake_filter(filters, "type");
    json_t *drivers = fake_filter(filters, "driver"), *labels = fake_filter(filters, "label"), *value;
    json_t *own = json_loads(network->labels, 0, NULL);
    bool listed = json_array_size(names) == 0, by_id = json_array_size(ids) == 0;
    size_t i;

    json_array_foreach (names, i, value)
        listed = listed || (json_is_string(value) && strstr(network->name, json_string_value(value)) != NULL);
    json_array_foreach (ids, i, value)
        by_id = by_id || (json_is_string(value) &&
                          strncmp(network->id, json_string_value(value), json_string_length(value)) == 0);
    listed = listed && by_id && fake_filter_exact(drivers, network->driver) &&
             (labels == NULL || fake_filter_labels(labels, own)) &&
             fake_filter_exact(types, network->predefined ? "builtin" : "custom");
    json_decref(names);
    json_decref(ids);
    json_decref(types);
    json_decref(drivers);
    json_decref(labels);
    json_decref(own);
    return listed;
}

static void list_networks(struct fake_connection *connection)
{
    json_t *filters = fake_filters_of(connection);
    struct bytes body = {0};

    if (filters == NULL)
        return;
    say_text(&body, "[");
    for (const struct fake_network *network = connection->engine->networks; network != NULL; network = network->next) {
        if (!is_network_listed(network, filters))
            continue;
        say_text(&body, bytes_length(&body) > 1 ? "," : "");
        fake_render_network(&body, connection->engine, network, false);
    }
    say_text(&body, "]");
    answer(connection, 200, &body);
    json_decref(filters);
}

static void emit_network(struct fake_engine *engine, const struct fake_network *network, const char *action)
{
    char *attributes = fake_format("\"name\":\"%s\",\"type\":\"%s\"", network->name, network->driver);

    fake_emit(engine, "network", action, network->id, NULL, attributes);
    free(attributes);
}

static void create_network(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    json_t *body = body_of(connection);
    const char *name = string_of(body, "Name"), *driver = string_of(body, "Driver");
    struct fake_network *network;
    struct bytes out = {0};

    if (body == NULL)
        return;
    network = fake_network_find(engine, name);
    if (network != NULL && strcmp(network->name, name) == 0) {
        fake_answer_error(connection, 409, "network with name %s already exists", name);
    } else if (name[0] == '\0') {
        fake_answer_error(connection, 400, "network name cannot be empty");
    } else if (strcmp(driver, "overlay") == 0) {
        fake_answer_error(connection, 403,
                          "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to "
                          "connect this node to swarm and try again.");
    } else {
        network = fake_network_add(engine, name, driver[0] == '\0' ? "bridge" : driver);
        network->internal = json_is_true(json_object_get(body, "Internal"));
        network->attachable = json_is_true(json_object_get(body, "Attachable"));
        if (json_is_object(json_object_get(body, "Labels"))) {
            free(network->labels);
            network->labels = fake_dump(json_object_get(body, "Labels"));
        }
        if (json_is_object(json_object_get(body, "Options"))) {
            free(network->options);
            network->options = fake_dump(json_object_get(body, "Options"));
        }
        emit_network(engine, network, "create");
        say(&out, "{\"Id\":\"%s\",\"Warning\":\"\"}", network->id);
        answer(connection, 201, &out);
    }
    json_decref(body);
}

/* Its names, with one more or without one. */
static void change_networks(struct fake_container *container, const char *name, bool connects)
{
    char *const *old = fake_networks_of(container);
    size_t count = 0, kept = 0;
    char **names;

    while (old[count] != NULL)
        count++;
    names = fake_alloc((count + 2) * sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        if (connects || strcmp(old[i], name) != 0)
            names[kept++] = fake_strdup(old[i]);
    }
    if (connects)
        names[kept] = fake_strdup(name);
    for (size_t i = 0; container->life != NULL && container->life->networks != NULL && i < count; i++)
        free(container->life->networks[i]);
    free(fake_life(container)->networks);
    container->life->networks = names;
}

static bool is_connected(const struct fake_container *container, const char *name)
{
    char *const *names = fake_networks_of(container);

    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void connect_container(struct fake_connection *connection, struct fake_network *network, bool connects)
{
    json_t *body = body_of(connection);
    struct fake_container *container = body == NULL ? NULL : fake_must_find(connection, string_of(body, "Container"));

    if (container == NULL) {
        json_decref(body);
        return;
    }
    if (is_connected(container, network->name) == connects) {
        if (connects)
            fake_answer_error(connection, 403, "endpoint with name %s already exists in network %s", container->name,
                              network->name);
        else
            fake_answer_error(connection, 403, "container %s is not connected to the network %s", container->id,
                              network->name);
    } else {
        change_networks(container, network->name, connects);
        if (fake_is_running(container))
            fake_emit_network(container, network->name, connects ? "connect" : "disconnect");
        fake_answer(connection, 200, NULL, NULL, 0);
    }
    json_decref(body);
}

static void remove_network(struct fake_connection *connection, struct fake_network *network)
{
    struct fake_engine *engine = connection->engine;

    for (size_t i = 0; i < engine->container_count; i++) {
        if (fake_is_running(engine->containers[i]) && is_connected(engine->containers[i], network->name) &&
            !network->predefined) {
            fake_answer_error(connection, 403, "error while removing network: network %s id %s has active endpoints",
                              network->name, network->id);
            return;
        }
    }
    if (network->predefined) {
        fake_answer_error(connection, 403, "%s is a pre-defined network and cannot be removed", network->name);
        return;
    }
    emit_network(engine, network, "destroy");
    fake_network_remove(engine, network);
    done(connection);
}

static void prune_networks(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    struct fake_network *next;
    struct bytes body = {0};
    const char *separator = "[";

    say_text(&body, "{\"NetworksDeleted\":");
    for (struct fake_network *network = engine->networks; network != NULL; network = next) {
        bool used = network->predefined;

        next = network->next;
        for (size_t i = 0; i < engine->container_count && !used; i++)
            used = is_connected(engine->containers[i], network->name);
        if (used)
            continue;
        say_text(&body, separator);
        say_json(&body, network->name);
        separator = ",";
        emit_network(engine, network, "destroy");
        fake_network_remove(engine, network);
    }
    say(&body, "%s}", separator[0] == '[' ? "null" : "]");
    answer(connection, 200, &body);
}

static void named_network(struct fake_connection *connection, const char *path)
{
    size_t length = strcspn(path, "/");
    char *name = strndup(path, length);
    struct fake_network *network;
    struct bytes body = {0};

    kit_check(name != NULL);
    network = fake_network_find(connection->engine, name);
    if (network == NULL) {
        fake_answer_error(connection, 404, "network %s not found", name);
    } else if (is(connection, "GET") && path[length] == '\0') {
        fake_render_network(&body, connection->engine, network, true);
        answer(connection, 200, &body);
    } else if (is(connection, "DELETE") && path[length] == '\0') {
        remove_network(connection, network);
    } else if (is(connection, "POST") && strcmp(path + length, "/connect") == 0) {
        connect_container(connection, network, true);
    } else if (is(connection, "POST") && strcmp(path + length, "/disconnect") == 0) {
        connect_container(connection, network, false);
    } else {
        no_page(connection);
    }
    free(name);
}

void fake_route_network(struct fake_connection *connection)
{
    const char *path = connection->request.path + strlen("/networks");

    path += *path == '/';
    if (is(connection, "GET") && path[0] == '\0')
        list_networks(connection);
    else if (is(connection, "POST") && strcmp(path, "create") == 0)
        create_network(connection);
    else if (is(connection, "POST") && strcmp(path, "prune") == 0)
        prune_networks(connection);
    else
        named_network(connection, path);
}
