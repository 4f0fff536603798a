# SPDX-License-Identifier: Apache-2.0
"""The pool as a whole: versions, figures, events; and the low-level client, pinned to versions."""
import time

import docker
from checks import Thread
from containers import box
from docker.errors import APIError, NotFound


def figures(t):
    t.equal("ping", t.client.ping(), True)
    version = t.client.version()
    t.ok("version", tuple(map(int, version["ApiVersion"].split("."))) >= (1, 41) and version["Os"] == "linux", version)
    made = box(t, "counted")
    info = t.client.info()
    t.ok("info", info["OSType"] == "linux" and info["NCPU"] > 0 and info["MemTotal"] > 0, info)
    t.ok("info counts containers", info["ContainersRunning"] >= 1 and info["Containers"] >= info["ContainersRunning"], info)
    usage = t.client.df()
    t.has("df: containers", made.id, [c["Id"] for c in usage["Containers"]])
    t.ok("df: images", any("busybox:latest" in (i["RepoTags"] or []) for i in usage["Images"]) and usage["LayersSize"] > 0, usage)
    t.raises("login where there is nothing", APIError, lambda: t.client.login("u", "p", registry="127.0.0.1:1"), None)
    t.raises("services are another product's", APIError, t.client.services.list, 503)


def events(t):
    api, name = t.client, t.name("told")
    since = time.time()
    stream = api.events(decode=True, filters={"container": name})
    told = Thread(lambda: [event["Action"] for event in stream])
    made = api.containers.create("busybox", ["sleep", "3600"], name=name, labels={"of": t.prefix})
    t.later(lambda: made.remove(force=True))
    made.start()
    made.rename(t.name("other"))
    made.rename(name)
    made.kill()
    made.wait()
    made.remove()

    def past(**filters):
        return list(api.events(since=since, until=time.time(), decode=True, filters={"container": name, **filters}))
    t.until("events of the past", lambda: [e["Action"] for e in past()][-1:] == ["destroy"])
    wanted = ["create", "start", "rename", "kill", "die", "destroy"]
    actions = [e["Action"] for e in past(type="container")]
    t.equal("in order", [a for a in wanted if a in actions], wanted)
    t.equal("by kind of event", [e["Action"] for e in past(event=["start", "die"])], ["start", "die"])
    t.equal("by label", [e["Action"] for e in past(event="create", label="of=" + t.prefix)], ["create"])
    t.equal("by a label that none has", past(label="of=none"), [])
    one = past(event="die")[0]
    t.equal("one event", (one["status"], one["id"], one["Type"], one["from"].split()[0], one["Actor"]["Attributes"]["exitCode"]),
            ("die", made.id, "container", "busybox", "137"))
    t.ok("its time", int(since) <= one["time"] <= time.time() and one["timeNano"] // 10**9 == one["time"], one)
    if t.pool:
        t.ok("its node", one["Actor"]["Attributes"]["node.name"] in ("n1", "n2", "nt"), one)
    stream.close()
    told.join(10)


def low_level(t):
    """The low-level client, pinned to old and new versions, and to what it finds."""
    for version in ("1.24", "1.41", "auto"):
        api = docker.APIClient(base_url=t.client.api.base_url, version=version, timeout=120)
        try:
            pinned(t, api, version)
        finally:
            api.close()


def pinned(t, api, version):
    on, name = "version %s: " % version, t.name("pinned" + version.replace(".", ""))
    if version == "auto":
        t.equal(on + "it is what is offered", api.api_version, api.version(api_version=False)["ApiVersion"])
    host = api.create_host_config(binds=["/tmp:/host:ro"], port_bindings={80: None}, mem_limit="64m")
    made = api.create_container("busybox", ["sh", "-c", "echo said; exec sleep 3600"], name=name, host_config=host, ports=[80], labels={"of": name})["Id"]
    t.later(lambda: t.client.api.remove_container(made, force=True))
    api.start(made)
    inspected = api.inspect_container(name)
    t.equal(on + "inspect", (inspected["Id"], inspected["Name"], inspected["State"]["Running"]), (made, "/" + name, True))
    t.equal(on + "binds", inspected["HostConfig"]["Binds"], ["/tmp:/host:ro"])
    entry = api.containers(filters={"label": "of=" + name})[0]
    t.equal(on + "list", (entry["Id"], entry["Image"], entry["State"], entry["Labels"]["of"]), (made, "busybox", "running", name))
    t.equal(on + "list: its port", [(p["PrivatePort"], p["Type"]) for p in entry["Ports"]][:1], [(80, "tcp")])
    t.equal(on + "port", api.port(made, 80)[0]["HostPort"].isdigit(), True)
    known = api.exec_create(made, "echo inside")["Id"]
    t.equal(on + "exec", (api.exec_start(known), api.exec_inspect(known)["ExitCode"]), (b"inside\n", 0))
    t.until(on + "logs", lambda: api.logs(made) == b"said\n")
    t.has(on + "images", "busybox:latest", [tag for image in api.images() for tag in image["RepoTags"] or []])
    t.equal(on + "image", api.inspect_image("busybox")["RepoTags"].count("busybox:latest"), 1)
    net = api.create_network(name)["Id"]
    t.equal(on + "network", (api.inspect_network(net)["Name"], [n["Id"] for n in api.networks(ids=[net])]), (name, [net]))
    api.remove_network(net)
    api.create_volume(name)
    t.equal(on + "volume", api.inspect_volume(name)["Name"], name)
    api.remove_volume(name)
    now = time.time()
    t.has(on + "events", "start", [e["status"] for e in api.events(since=now - 600, until=now, decode=True, filters={"container": made})])
    api.kill(made)
    code = api.wait(made)
    t.equal(on + "wait", code["StatusCode"], 137)
    api.remove_container(made)
    t.raises(on + "remove", NotFound, lambda: api.inspect_container(made), 404, "No such container")


GROUPS = [figures, events, low_level]
