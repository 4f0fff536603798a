/* SPDX-License-Identifier: Apache-2.0 */
/* A create body, read once: what every inspect and list of its containers shows is rendered here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_engine.h"

/* What dockerd fills in. */
static const char default_config[] =
    "{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\":false,"
    "\"AttachStderr\":false,\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":[\"PATH=/bin\"],"
    "\"Cmd\":[\"sh\"],\"Image\":\"\",\"Volumes\":null,\"WorkingDir\":\"\",\"Entrypoint\":null,\"OnBuild\":null,"
    "\"Labels\":{}}";
static const char default_host_config[] =
    "{\"Binds\":null,\"ContainerIDFile\":\"\",\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{}},"
    "\"NetworkMode\":\"default\",\"PortBindings\":{},\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},"
    "\"AutoRemove\":false,\"VolumeDriver\":\"\",\"VolumesFrom\":null,\"CapAdd\":null,\"CapDrop\":null,"
    "\"CgroupnsMode\":\"host\",\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":[],\"ExtraHosts\":null,\"GroupAdd\":null,"
    "\"IpcMode\":\"private\",\"Cgroup\":\"\",\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":\"\",\"Privileged\":false,"
    "\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,\"SecurityOpt\":null,\"UTSMode\":\"\",\"UsernsMode\":\"\","
    "\"ShmSize\":67108864,\"Runtime\":\"runc\",\"ConsoleSize\":[0,0],\"Isolation\":\"\",\"CpuShares\":0,\"Memory\":0,"
    "\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],\"BlkioDeviceReadBps\":[],"
    "\"BlkioDeviceWriteBps\":[],\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],\"CpuPeriod\":0,"
    "\"CpuQuota\":0,\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\","
    "\"Devices\":[],\"DeviceCgroupRules\":null,\"DeviceRequests\":null,\"KernelMemory\":0,\"KernelMemoryTCP\":0,"
    "\"MemoryReservation\":0,\"MemorySwap\":0,\"MemorySwappiness\":null,\"OomKillDisable\":false,"
    "\"PidsLimit\":null,\"Ulimits\":[],\"CpuCount\":0,\"CpuPercent\":0,\"IOMaximumIOps\":0,"
    "\"IOMaximumBandwidth\":0,\"MaskedPaths\":[\"/proc/asound\",\"/proc/acpi\",\"/proc/kcore\",\"/proc/keys\","
    "\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/proc/scsi\","
    "\"/sys/firmware\"],\"ReadonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
    "\"/proc/sysrq-trigger\"]}";

/* @p given over the defaults: what is null or of another kind than the default stays as it is there. New. */
static json_t *over(const char *defaults, json_t *given)
{
    json_t *whole = json_loads(defaults, 0, NULL), *value;
    const char *key;

    kit_check(whole != NULL);
    json_object_foreach (given, key, value) {
        if (!json_is_null(value) && strcmp(key, "HostConfig") != 0 && strcmp(key, "NetworkingConfig") != 0)
            json_object_set(whole, key, value);
    }
    return whole;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

/* The members of an object, without the braces; new. */
static char *members(const json_t *object)
{
    char *text = json_is_object(object) ? fake_dump(object) : fake_strdup("{}");
    size_t length = strlen(text);

    memmove(text, text + 1, length - 2);
    text[length - 2] = '\0';
    return text;
}

static void append(char ***texts, size_t *count, const char *text)
{
    *texts = realloc(*texts, (*count + 2) * sizeof(**texts));
    kit_check(*texts != NULL);
    (*texts)[(*count)++] = fake_strdup(text);
    (*texts)[*count] = NULL;
}

static void texts_free(char **texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

/* --- the command --- */

static void add_words(const json_t *words, const char **all, size_t *count, size_t room)
{
    for (size_t i = 0; i < json_array_size(words) && *count < room; i++) {
        const char *word = json_string_value(json_array_get(words, i));

        if (word != NULL)
            all[(*count)++] = word;
    }
    if (json_is_string(words) && *count < room)
        all[(*count)++] = json_string_value(words);
}

/* dockerd quotes what has blanks, with single quotes. */
static char *command_text(const char *const *words, size_t count)
{
    struct bytes text = {0};

    for (size_t i = 0; i < count; i++)
        say(&text, strchr(words[i], ' ') == NULL ? "%s%s" : "%s'%s'", i > 0 ? " " : "", words[i]);
    say_bytes(&text, "", 1);
    return text.data;
}

static void take_command(struct fake_spec *spec, const json_t *config)
{
    const char *words[256];
    json_t *arguments = json_array();
    size_t count = 0;

    add_words(json_object_get(config, "Entrypoint"), words, &count, 256);
    add_words(json_object_get(config, "Cmd"), words, &count, 256);
    for (size_t i = 1; i < count; i++)
        json_array_append_new(arguments, json_string(words[i]));
    spec->path = fake_strdup(count > 0 ? words[0] : "sh");
    spec->arguments = fake_dump(arguments);
    spec->command = command_text(words, count);
    fake_program_parse(&spec->program, words, count, -1);
    json_decref(arguments);
}

/* --- ports --- */

static void add_port(struct fake_spec *spec, const char *port, const char *ip, int host_port)
{
    struct fake_port *ports = reallocarray(spec->ports, spec->port_count + 1, sizeof(*ports));

    kit_check(ports != NULL);
    spec->ports = ports;
    ports += spec->port_count++;
    snprintf(ports->port, sizeof(ports->port), strchr(port, '/') == NULL ? "%.9s/tcp" : "%.15s", port);
    ports->host_ip = fake_strdup(ip[0] == '\0' ? "0.0.0.0" : ip);
    ports->host_port = host_port;
}

static void take_ports(struct fake_spec *spec, const json_t *config, json_t *host)
{
    json_t *bindings = json_object_get(host, "PortBindings"), *exposed = json_object_get(config, "ExposedPorts");
    json_t *list, *binding, *value;
    const char *port;
    size_t i;

    json_object_foreach (bindings, port, list) {
        json_array_foreach (list, i, binding) {
            if (json_object_get(binding, "HostIp") == NULL)
                json_object_set_new(binding, "HostIp", json_string(""));
            add_port(spec, port, string_of(binding, "HostIp"), atoi(string_of(binding, "HostPort")));
        }
    }
    json_object_foreach (exposed, port, value) {
        if (json_array_size(json_object_get(bindings, port)) == 0)
            add_port(spec, port, "", json_is_true(json_object_get(host, "PublishAllPorts")) ? 0 : -1);
    }
}

/* --- networks and volumes --- */

static void take_networks(struct fake_spec *spec, const json_t *body, const json_t *host)
{
    json_t *endpoints = json_object_get(json_object_get(body, "NetworkingConfig"), "EndpointsConfig"), *value;
    const char *mode = string_of(host, "NetworkMode"), *name;
    size_t count = 0;

    spec->network_mode = fake_strdup(mode[0] == '\0' ? "default" : mode);
    json_object_foreach (endpoints, name, value)
        append(&spec->networks, &count, name);
    if (count == 0 && strncmp(mode, "container:", 10) == 0)
        spec->networks = fake_alloc(sizeof(*spec->networks));
    else if (count == 0)
        append(&spec->networks, &count, strcmp(spec->network_mode, "default") == 0 ? "bridge" : spec->network_mode);
}

static void add_mount(struct bytes *mounts, const char *type, const char *source, const char *target, const char *mode)
{
    bool is_volume = strcmp(type, "volume") == 0;

    say(mounts, "%s{\"Type\":\"%s\",", bytes_length(mounts) > 0 ? "," : "", type);
    if (is_volume) {
        say_text(mounts, "\"Name\":");
        say_json(mounts, source);
        say(mounts, ",\"Source\":\"/var/lib/docker/volumes/%s/_data\"", source);
    } else {
        say_text(mounts, "\"Source\":");
        say_json(mounts, source);
    }
    say_text(mounts, ",\"Destination\":");
    say_json(mounts, target);
    say(mounts, "%s,\"Mode\":\"%s\",\"RW\":%s,\"Propagation\":\"%s\"}", is_volume ? ",\"Driver\":\"local\"" : "", mode,
        strstr(mode, "ro") != NULL ? "false" : "true", is_volume ? "" : "rprivate");
}

static void take_bind(struct fake_spec *spec, struct bytes *mounts, size_t *count, const char *bind)
{
    char *text = fake_strdup(bind), *rest = text, *source = strsep(&rest, ":"), *target = strsep(&rest, ":");

    if (target != NULL) {
        bool is_volume = source[0] != '/';

        add_mount(mounts, is_volume ? "volume" : "bind", source, target, rest != NULL ? rest : is_volume ? "z" : "");
        if (is_volume)
            append(&spec->volumes, count, source);
    }
    free(text);
}

static void take_mounts(struct fake_spec *spec, const json_t *host)
{
    json_t *binds = json_object_get(host, "Binds"), *given = json_object_get(host, "Mounts"), *item;
    struct bytes mounts = {0};
    size_t i, count = 0;

    json_array_foreach (binds, i, item) {
        if (json_is_string(item))
            take_bind(spec, &mounts, &count, json_string_value(item));
    }
    json_array_foreach (given, i, item) {
        const char *type = string_of(item, "Type"), *source = string_of(item, "Source");

        if (strcmp(type, "volume") != 0 && strcmp(type, "bind") != 0)
            continue;
        add_mount(&mounts, type, source, string_of(item, "Target"),
                  json_is_true(json_object_get(item, "ReadOnly")) ? "ro" : "z");
        if (strcmp(type, "volume") == 0 && source[0] != '\0')
            append(&spec->volumes, &count, source);
    }
    say_bytes(&mounts, "", 1);
    spec->mounts = mounts.data;
}

/* --- spec --- */

static void take_config(struct fake_spec *spec, json_t *body)
{
    json_t *config = over(default_config, body);
    json_t *host = over(default_host_config, json_object_get(body, "HostConfig"));

    if (string_of(config, "Hostname")[0] != '\0')
        spec->hostname = fake_strdup(string_of(config, "Hostname"));
    json_object_del(config, "Hostname"); /* rendered before the rest */
    if (string_of(host, "NetworkMode")[0] == '\0')
        json_object_set_new(host, "NetworkMode", json_string("default"));
    spec->label_object = json_incref(json_object_get(config, "Labels"));
    spec->labels = members(spec->label_object);
    json_object_del(config, "Labels"); /* and after it */
    take_ports(spec, config, host);
    spec->config = members(config);
    spec->host_config = members(host);
    spec->tty = json_is_true(json_object_get(config, "Tty"));
    spec->open_stdin = json_is_true(json_object_get(config, "OpenStdin"));
    spec->auto_remove = json_is_true(json_object_get(host, "AutoRemove"));
    take_command(spec, config);
    take_networks(spec, body, host);
    take_mounts(spec, host);
    json_decref(config);
    json_decref(host);
}

struct fake_spec *fake_spec_new(json_t *body, int *ret_status, char **reterr)
{
    struct fake_spec *spec;

    if (json_object_size(body) == 0) {
        *ret_status = 400;
        *reterr = fake_strdup("Config cannot be empty in order to create a container");
        return NULL;
    }
    if (string_of(body, "Image")[0] == '\0') {
        *ret_status = 400;
        *reterr = fake_strdup("No command specified");
        return NULL;
    }
    spec = fake_alloc(sizeof(*spec));
    spec->references = 1;
    spec->image = fake_strdup(string_of(body, "Image"));
    take_config(spec, body);
    return spec;
}

struct fake_spec *fake_spec_ref(struct fake_spec *spec)
{
    spec->references++;
    return spec;
}

void fake_spec_unref(struct fake_spec *spec)
{
    if (spec == NULL || --spec->references > 0)
        return;
    free(spec->image);
    free(spec->path);
    free(spec->arguments);
    free(spec->command);
    free(spec->config);
    free(spec->host_config);
    free(spec->labels);
    free(spec->hostname);
    free(spec->mounts);
    free(spec->network_mode);
    texts_free(spec->networks);
    texts_free(spec->volumes);
    for (size_t i = 0; i < spec->port_count; i++)
        free(spec->ports[i].host_ip);
    free(spec->ports);
    json_decref(spec->label_object);
    fake_program_clear(&spec->program);
    free(spec);
}
