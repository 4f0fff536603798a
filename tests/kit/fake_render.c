/* SPDX-License-Identifier: Apache-2.0 */
/* What engines say of themselves and their containers, as dockerd 20.10 words and orders it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

#define ROOT "/var/lib/docker"

static const char *state_text(const struct fake_container *container)
{
    static const char *const texts[] = {"created", "running", "paused", "exited"};

    return texts[container->state];
}

static void say_status(struct bytes *out, const struct fake_container *container)
{
    int64_t now = fake_now(container->engine);

    if (container->state == FAKE_CREATED) {
        say_text(out, "Created");
    } else if (container->state == FAKE_EXITED) {
        say(out, "Exited (%d) ", container->exit_code);
        say_duration(out, (now - container->finished_ns) / FAKE_S_NS);
        say_text(out, " ago");
    } else {
        say_text(out, "Up ");
        say_duration(out, (now - container->started_ns) / FAKE_S_NS);
        if (container->state == FAKE_PAUSED)
            say_text(out, " (Paused)");
    }
}

/* An ID that belongs to the container: what is one of several of its kind has another @p kind. */
static void own_id(const struct fake_container *container, uint64_t kind, char id[FAKE_ID_SIZE])
{
    uint64_t a = 0;

    sscanf(container->id, "%16" SCNx64, &a);
    fake_hex(id, 64, a, container->serial, kind);
}

static void say_labels(struct bytes *out, const struct fake_container *container)
{
    char id[FAKE_ID_SIZE];

    say_text(out, "{");
    say_text(out, container->spec->labels);
    if (container->spec->own_swarm_id) {
        own_id(container, 1, id);
        say(out, "%s\"com.docker.swarm.id\":\"%s\"", container->spec->labels[0] == '\0' ? "" : ",", id);
    }
    say_text(out, "}");
}

static void say_ports(struct bytes *out, const struct fake_container *container)
{
    const struct fake_spec *spec = container->spec;

    say_text(out, "[");
    for (size_t i = 0; i < spec->port_count && fake_is_running(container); i++) {
        const struct fake_port *port = &spec->ports[i];
        int host = container->life != NULL && container->life->host_ports != NULL ? container->life->host_ports[i] : -1;
        size_t digits = strcspn(port->port, "/");

        say_text(out, i > 0 ? ",{" : "{");
        if (host > 0)
            say(out, "\"IP\":\"%s\",", port->host_ip);
        say(out, "\"PrivatePort\":%.*s,", (int)digits, port->port);
        if (host > 0)
            say(out, "\"PublicPort\":%d,", host);
        say(out, "\"Type\":\"%s\"}", port->port + digits + 1);
    }
    say_text(out, "]");
}

/* The endpoint's values, beginning with what lists and inspects have alike. */
static void say_endpoint(struct bytes *out, const struct fake_container *container, const char *name, unsigned at)
{
    struct fake_network *network = fake_network_find(container->engine, name);
    bool running = fake_is_running(container), has_ip = running && network != NULL && network->subnet > 0;
    unsigned host = container->serial + 2, subnet = network == NULL ? 0 : network->subnet;
    char endpoint[FAKE_ID_SIZE];

    own_id(container, 16 + at, endpoint);
    say(out, "{\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"NetworkID\":\"%s\",\"EndpointID\":\"%s\",",
        container->state == FAKE_CREATED || network == NULL ? "" : network->id, running ? endpoint : "");
    if (has_ip)
        say(out,
            "\"Gateway\":\"172.%u.0.1\",\"IPAddress\":\"172.%u.%u.%u\",\"IPPrefixLen\":16,\"IPv6Gateway\":\"\","
            "\"GlobalIPv6Address\":\"\",\"GlobalIPv6PrefixLen\":0,\"MacAddress\":\"02:42:ac:%02x:%02x:%02x\",",
            subnet, subnet, host >> 8 & 255, host & 255, subnet, host >> 8 & 255, host & 255);
    else
        say_text(out, "\"Gateway\":\"\",\"IPAddress\":\"\",\"IPPrefixLen\":0,\"IPv6Gateway\":\"\","
                      "\"GlobalIPv6Address\":\"\",\"GlobalIPv6PrefixLen\":0,\"MacAddress\":\"\",");
    say_text(out, "\"DriverOpts\":null}");
}

static void say_networks(struct bytes *out, const struct fake_container *container)
{
    char *const *networks = fake_networks_of(container);

    say_text(out, "\"Networks\":{");
    for (unsigned i = 0; networks[i] != NULL; i++) {
        if (i > 0)
            say_text(out, ",");
        say_json(out, networks[i]);
        say_text(out, ":");
        say_endpoint(out, container, networks[i], i);
    }
    say_text(out, "}");
}

void fake_render_entry(struct bytes *out, const struct fake_container *container, bool size)
{
    const struct fake_spec *spec = container->spec;
    const struct fake_image *image = size ? fake_image_find(container->engine, spec->image) : NULL;

    say(out, "{\"Id\":\"%s\",\"Names\":[\"/%s\"],\"Image\":", container->id, container->name);
    say_json(out, spec->image);
    say(out, ",\"ImageID\":\"sha256:%s\",\"Command\":", spec->image_id);
    say_json(out, spec->command);
    say(out, ",\"Created\":%" PRId64 ",\"Ports\":", container->created_ns / FAKE_S_NS);
    say_ports(out, container);
    if (size)
        say(out, ",\"SizeRootFs\":%" PRId64, image == NULL ? 0 : image->size);
    say_text(out, ",\"Labels\":");
    say_labels(out, container);
    say(out, ",\"State\":\"%s\",\"Status\":\"", state_text(container));
    say_status(out, container);
    say_text(out, "\",\"HostConfig\":{\"NetworkMode\":");
    say_json(out, spec->network_mode);
    say_text(out, "},\"NetworkSettings\":{");
    say_networks(out, container);
    say(out, "},\"Mounts\":[%s]}", spec->mounts);
}

/* --- inspect --- */

static void say_state(struct bytes *out, const struct fake_container *container)
{
    bool running = fake_is_running(container);

    say(out,
        "\"State\":{\"Status\":\"%s\",\"Running\":%s,\"Paused\":%s,\"Restarting\":false,\"OOMKilled\":false,"
        "\"Dead\":false,\"Pid\":%u,\"ExitCode\":%d,\"Error\":\"\",\"StartedAt\":",
        state_text(container), running ? "true" : "false", container->state == FAKE_PAUSED ? "true" : "false",
        running ? 1000 + container->serial : 0, container->exit_code);
    say_time(out, container->started_ns);
    say_text(out, ",\"FinishedAt\":");
    say_time(out, container->finished_ns);
    say_text(out, "}");
}

static void say_paths(struct bytes *out, const struct fake_container *container)
{
    static const char *const files[][2] = {
        {"ResolvConfPath", "resolv.conf"}, {"HostnamePath", "hostname"}, {"HostsPath", "hosts"}};
    bool was_started = container->started_ns != 0;

    for (int i = 0; i < 3; i++) {
        if (was_started)
            say(out, ",\"%s\":\"" ROOT "/containers/%s/%s\"", files[i][0], container->id, files[i][1]);
        else
            say(out, ",\"%s\":\"\"", files[i][0]);
    }
    if (was_started)
        say(out, ",\"LogPath\":\"" ROOT "/containers/%s/%s-json.log\"", container->id, container->id);
    else
        say_text(out, ",\"LogPath\":\"\"");
}

static void say_graph_driver(struct bytes *out, const struct fake_container *container)
{
    char top[FAKE_ID_SIZE], layers[4][FAKE_ID_SIZE];

    own_id(container, 2, top);
    for (unsigned i = 0; i < 4; i++)
        fake_hex(layers[i], 64, i, 3, 0);
    say(out, "\"GraphDriver\":{\"Data\":{\"LowerDir\":\"" ROOT "/overlay2/%s-init/diff", top);
    for (int i = 0; i < 4; i++)
        say(out, ":" ROOT "/overlay2/%s/diff", layers[i]);
    say(out,
        "\",\"MergedDir\":\"" ROOT "/overlay2/%s/merged\",\"UpperDir\":\"" ROOT "/overlay2/%s/diff\",\"WorkDir\":"
        "\"" ROOT "/overlay2/%s/work\"},\"Name\":\"overlay2\"}",
        top, top, top);
}

/* Bindings by port; those of one port one after the other. */
static void say_bindings(struct bytes *out, const struct fake_container *container)
{
    const struct fake_spec *spec = container->spec;
    const int *hosts = container->life == NULL ? NULL : container->life->host_ports;

    say_text(out, "\"Ports\":{");
    for (size_t i = 0; i < spec->port_count && fake_is_running(container); i++) {
        const struct fake_port *port = &spec->ports[i];
        bool same = i > 0 && strcmp(spec->ports[i - 1].port, port->port) == 0;
        bool more = i + 1 < spec->port_count && strcmp(spec->ports[i + 1].port, port->port) == 0;

        if (!same)
            say(out, "%s\"%s\":", i > 0 ? "," : "", port->port);
        if (hosts == NULL || hosts[i] < 0)
            say_text(out, "null");
        else
            say(out, "%s{\"HostIp\":\"%s\",\"HostPort\":\"%d\"}%s", same ? "," : "[", port->host_ip, hosts[i],
                more ? "" : "]");
    }
    say_text(out, "}");
}

static void say_network_settings(struct bytes *out, const struct fake_container *container)
{
    char *const *networks = fake_networks_of(container);
    struct fake_network *first = networks[0] == NULL ? NULL : fake_network_find(container->engine, networks[0]);
    bool has_ip = fake_is_running(container) && first != NULL && first->predefined && first->subnet > 0;
    unsigned host = container->serial + 2;
    char id[FAKE_ID_SIZE];

    own_id(container, 3, id);
    say(out,
        "\"NetworkSettings\":{\"Bridge\":\"\",\"SandboxID\":\"%s\",\"HairpinMode\":false,\"LinkLocalIPv6Address\":\"\","
        "\"LinkLocalIPv6PrefixLen\":0,",
        fake_is_running(container) ? id : "");
    say_bindings(out, container);
    say(out,
        ",\"SandboxKey\":\"/var/run/docker/netns/"
        "%.12s\",\"SecondaryIPAddresses\":null,\"SecondaryIPv6Addresses\":null,",
        id);
    own_id(container, 16, id);
    say(out,
        "\"EndpointID\":\"%s\",\"Gateway\":\"%s\",\"GlobalIPv6Address\":\"\",\"GlobalIPv6PrefixLen\":0,\"IPAddress\":"
        "\"",
        has_ip ? id : "", has_ip ? "172.17.0.1" : "");
    if (has_ip)
        say(out, "172.17.%u.%u", host >> 8 & 255, host & 255);
    say(out, "\",\"IPPrefixLen\":%d,\"IPv6Gateway\":\"\",\"MacAddress\":\"", has_ip ? 16 : 0);
    if (has_ip)
        say(out, "02:42:ac:11:%02x:%02x", host >> 8 & 255, host & 255);
    say_text(out, "\",");
    say_networks(out, container);
    say_text(out, "}");
}

static void say_execs(struct bytes *out, const struct fake_container *container)
{
    const char *separator = "[";

    say_text(out, "\"ExecIDs\":");
    for (const struct fake_exec *exec = container->engine->execs; exec != NULL; exec = exec->next) {
        if (strcmp(exec->container, container->id) == 0 && (exec->running || !exec->started)) {
            say(out, "%s\"%s\"", separator, exec->id);
            separator = ",";
        }
    }
    say_text(out, separator[0] == '[' ? "null" : "]");
}

void fake_render_inspect(struct bytes *out, const struct fake_container *container)
{
    const struct fake_spec *spec = container->spec;

    say(out, "{\"Id\":\"%s\",\"Created\":", container->id);
    say_time(out, container->created_ns);
    say_text(out, ",\"Path\":");
    say_json(out, spec->path);
    say_text(out, ",\"Args\":");
    say_text(out, spec->arguments);
    say_text(out, ",");
    say_state(out, container);
    say(out, ",\"Image\":\"sha256:%s\"", spec->image_id);
    say_paths(out, container);
    say(out,
        ",\"Name\":\"/%s\",\"RestartCount\":0,\"Driver\":\"overlay2\",\"Platform\":\"linux\",\"MountLabel\":\"\","
        "\"ProcessLabel\":\"\",\"AppArmorProfile\":\"\",",
        container->name);
    say_execs(out, container);
    say_text(out, ",\"HostConfig\":{");
    say_text(out, spec->host_config);
    say_text(out, "},");
    say_graph_driver(out, container);
    say_text(out, ",\"Mounts\":[");
    say_text(out, spec->mounts);
    say_text(out, "],\"Config\":{\"Hostname\":");
    if (spec->hostname != NULL)
        say_json(out, spec->hostname);
    else
        say(out, "\"%.12s\"", container->id);
    say_text(out, ",");
    say_text(out, spec->config);
    say_text(out, ",\"Labels\":");
    say_labels(out, container);
    say_text(out, "},");
    say_network_settings(out, container);
    say_text(out, "}\n");
}

/* --- the engine --- */

void fake_render_version(struct bytes *out)
{
    say_text(out,
             "{\"Platform\":{\"Name\":\"\"},\"Components\":[{\"Name\":\"Engine\",\"Version\":\"20.10.24+dfsg1\","
             "\"Details\":{\"ApiVersion\":\"1.41\",\"Arch\":\"amd64\",\"BuildTime\":"
             "\"2023-05-18T09:18:53.000000000+00:00\",\"Experimental\":\"false\",\"GitCommit\":\"5d6db84\","
             "\"GoVersion\":\"go1.19.8\",\"KernelVersion\":\"6.1.0-18-amd64\",\"MinAPIVersion\":\"1.12\",\"Os\":"
             "\"linux\"}},{\"Name\":\"containerd\",\"Version\":\"1.6.20~ds1\",\"Details\":{\"GitCommit\":"
             "\"1.6.20~ds1-1+b1\"}},{\"Name\":\"runc\",\"Version\":\"1.1.5+ds1\",\"Details\":{\"GitCommit\":"
             "\"1.1.5+ds1-1+deb12u1\"}},{\"Name\":\"docker-init\",\"Version\":\"0.19.0\",\"Details\":{\"GitCommit\":"
             "\"\"}}],\"Version\":\"20.10.24+dfsg1\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\",\"GitCommit\":"
             "\"5d6db84\",\"GoVersion\":\"go1.19.8\",\"Os\":\"linux\",\"Arch\":\"amd64\",\"KernelVersion\":"
             "\"6.1.0-18-amd64\",\"BuildTime\":\"2023-05-18T09:18:53.000000000+00:00\"}\n");
}

static void say_engine_labels(struct bytes *out, const struct fake_engine *engine)
{
    const char *const *labels = engine->world->options.labels;

    say_text(out, "[");
    for (size_t i = 0; labels != NULL && labels[i] != NULL; i++) {
        const char *at = strstr(labels[i], "%d");
        char *text = at == NULL ? fake_strdup(labels[i])
                                : fake_format("%.*s%u%s", (int)(at - labels[i]), labels[i], engine->number, at + 2);

        say_text(out, i > 0 ? "," : "");
        say_json(out, text);
        free(text);
    }
    say_text(out, "]");
}

void fake_render_info(struct bytes *out, const struct fake_engine *engine)
{
    size_t states[4] = {0};

    for (size_t i = 0; i < engine->container_count; i++)
        states[engine->containers[i]->state]++;
    say(out,
        "{\"ID\":\"%s\",\"Containers\":%zu,\"ContainersRunning\":%zu,\"ContainersPaused\":%zu,\"ContainersStopped\":%"
        "zu,"
        "\"Images\":%zu,\"Driver\":\"overlay2\",",
        fake_engine_id(engine), engine->container_count, states[FAKE_RUNNING], states[FAKE_PAUSED],
        states[FAKE_CREATED] + states[FAKE_EXITED], engine->images->count);
    say_text(
        out,
        "\"DriverStatus\":[[\"Backing Filesystem\",\"extfs\"],[\"Supports d_type\",\"true\"],"
        "[\"Native Overlay Diff\",\"true\"],[\"userxattr\",\"false\"]],\"Plugins\":{\"Volume\":[\"local\"],"
        "\"Network\":[\"bridge\",\"host\",\"ipvlan\",\"macvlan\",\"null\",\"overlay\"],\"Authorization\":null,"
        "\"Log\":[\"awslogs\",\"fluentd\",\"gcplogs\",\"gelf\",\"journald\",\"json-file\",\"local\",\"logentries\","
        "\"splunk\",\"syslog\"]},\"MemoryLimit\":true,\"SwapLimit\":true,\"KernelMemory\":true,"
        "\"KernelMemoryTCP\":true,\"CpuCfsPeriod\":true,\"CpuCfsQuota\":true,\"CPUShares\":true,\"CPUSet\":true,"
        "\"PidsLimit\":true,\"IPv4Forwarding\":true,\"BridgeNfIptables\":true,\"BridgeNfIp6tables\":true,"
        "\"Debug\":false,");
    say(out, "\"NFd\":%zu,\"OomKillDisable\":true,\"NGoroutines\":49,\"SystemTime\":",
        20 + engine->listener.connection_count);
    say_time(out, fake_now(engine));
    say(out,
        ",\"LoggingDriver\":\"json-file\",\"CgroupDriver\":\"cgroupfs\",\"CgroupVersion\":\"1\","
        "\"NEventsListener\":%zu,",
        fake_events_streams(engine));
    say_text(out, "\"KernelVersion\":\"6.1.0-18-amd64\",\"OperatingSystem\":\"Debian GNU/Linux 12 (bookworm)\","
                  "\"OSVersion\":\"12\",\"OSType\":\"linux\",\"Architecture\":\"x86_64\",\"IndexServerAddress\":"
                  "\"https://index.docker.io/v1/\",\"RegistryConfig\":{\"AllowNondistributableArtifactsCIDRs\":[],"
                  "\"AllowNondistributableArtifactsHostnames\":[],\"InsecureRegistryCIDRs\":[\"127.0.0.0/8\"],"
                  "\"IndexConfigs\":{\"docker.io\":{\"Name\":\"docker.io\",\"Mirrors\":[],\"Secure\":true,"
                  "\"Official\":true}},\"Mirrors\":[]},");
    say(out, "\"NCPU\":%d,\"MemTotal\":%" PRId64 ",\"GenericResources\":null,\"DockerRootDir\":\"" ROOT "\",",
        engine->world->options.cpus, engine->world->options.memory);
    say(out, "\"HttpProxy\":\"\",\"HttpsProxy\":\"\",\"NoProxy\":\"\",\"Name\":\"%s\",\"Labels\":", engine->name);
    say_engine_labels(out, engine);
    say_text(out,
             ",\"ExperimentalBuild\":false,\"ServerVersion\":\"20.10.24+dfsg1\",\"Runtimes\":"
             "{\"io.containerd.runc.v2\":{\"path\":\"runc\"},\"io.containerd.runtime.v1.linux\":{\"path\":\"runc\"},"
             "\"runc\":{\"path\":\"runc\"}},\"DefaultRuntime\":\"runc\",\"Swarm\":{\"NodeID\":\"\",\"NodeAddr\":\"\","
             "\"LocalNodeState\":\"inactive\",\"ControlAvailable\":false,\"Error\":\"\",\"RemoteManagers\":null},"
             "\"LiveRestoreEnabled\":false,\"Isolation\":\"\",\"InitBinary\":\"docker-init\",\"ContainerdCommit\":"
             "{\"ID\":\"1.6.20~ds1-1+b1\",\"Expected\":\"1.6.20~ds1-1+b1\"},\"RuncCommit\":{\"ID\":"
             "\"1.1.5+ds1-1+deb12u1\",\"Expected\":\"1.1.5+ds1-1+deb12u1\"},\"InitCommit\":{\"ID\":\"\",\"Expected\":"
             "\"\"},\"SecurityOptions\":[\"name=seccomp,profile=default\"],\"Warnings\":null}\n");
}
