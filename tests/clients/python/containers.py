# SPDX-License-Identifier: Apache-2.0
"""Containers: their life, lists, and what is asked of them."""
import time

import docker
from checks import Thread
from docker.errors import APIError, ContainerError, NotFound


def box(t, word, command=("sleep", "3600"), **options):
    """A running container that is gone at the end of the group."""
    made = t.client.containers.run("busybox", list(command), name=t.name(word), detach=True, **options)
    t.later(lambda: made.remove(force=True, v=True))
    return made


def state(container):
    container.reload()
    return container.status


def run(t):
    say = t.client.containers.run
    t.equal("run returns what it said", say("busybox", "echo said", remove=True), b"said\n")
    t.equal("run with stderr, too", say("busybox", ["sh", "-c", "echo err >&2"], stdout=False, stderr=True, remove=True), b"err\n")
    t.equal("run in pieces", b"".join(say("busybox", "seq 1000", stream=True, remove=True)).split(),
            [b"%d" % n for n in range(1, 1001)])
    t.raises("run that fails", ContainerError, lambda: say("busybox", ["sh", "-c", "echo why >&2; exit 3"], remove=True),
             text="non-zero exit status 3: b'why\\n'")
    t.raises("run of a command that is not there", APIError, lambda: say("busybox", "nosuchcommand", name=t.name("no"), remove=True), 400,
             "nosuchcommand")
    t.client.containers.get(t.name("no")).remove()
    t.raises("run of an image that is not there", APIError, lambda: say("127.0.0.1:5000/absent:1", "true"), 404,
             "manifest for 127.0.0.1:5000/absent:1 not found")
    t.equal("run with an environment, a user and a folder",
            say("busybox", ["sh", "-c", "echo $WORD $(id -u) $PWD"], environment={"WORD": "spoken"}, user="7", working_dir="/tmp",
                remove=True), b"spoken 7 /tmp\n")
    t.equal("run with a tmpfs and a limit of memory",
            say("busybox", ["sh", "-c", "grep -c '^tmpfs /scratch ' /proc/mounts"], tmpfs={"/scratch": "size=1m"}, mem_limit="64m",
                remove=True), b"1\n")


def life(t):
    made = t.client.containers.create("busybox", ["sleep", "3600"], name=t.name("life"), labels={"of": t.prefix}, hostname="alive")
    t.later(lambda: made.remove(force=True))
    t.equal("create: its state", made.status, "created")
    t.equal("create: its name", made.name, t.name("life"))
    t.equal("create: its labels", made.labels.get("of"), t.prefix)
    t.equal("create: its image", made.image.tags.count("busybox:latest"), 1)
    made.start()
    t.equal("start", state(made), "running")
    made.start()
    t.equal("a second start is none", state(made), "running")
    for word, key in (("name", made.name), ("id", made.id), ("short id", made.short_id)):
        t.equal("get by " + word, t.client.containers.get(key).id, made.id)
    made.pause()
    t.equal("pause", state(made), "paused")
    t.raises("exec in a paused one", APIError, lambda: made.exec_run("true"), 409, "paused")
    made.unpause()
    t.equal("unpause", state(made), "running")
    made.update(mem_limit="64m", memswap_limit="128m", restart_policy={"Name": "on-failure", "MaximumRetryCount": 3})
    made.reload()
    t.equal("update of memory", made.attrs["HostConfig"]["Memory"], 64 << 20)
    t.equal("update of the restart policy", made.attrs["HostConfig"]["RestartPolicy"],
            {"Name": "on-failure", "MaximumRetryCount": 3})
    made.rename(t.name("renamed"))
    made.reload()
    t.equal("rename", made.name, t.name("renamed"))
    t.raises("the old name is not known", NotFound, lambda: t.client.containers.get(t.name("life")), 404, t.name("life"))
    began = made.attrs["State"]["StartedAt"]
    made.restart(timeout=0)
    t.equal("restart", (state(made), made.attrs["State"]["StartedAt"] > began), ("running", True))
    t.equal("top", [row[-1] for row in made.top(ps_args="-o pid,args")["Processes"]], ["sleep 3600"])
    t.has("top with no arguments", "CMD", made.top()["Titles"])
    made.exec_run("touch /new")
    t.has("diff", {"Path": "/new", "Kind": 1}, made.diff())
    t.raises("remove of a running one", APIError, made.remove, 409, "running container")
    made.kill("USR1")
    t.equal("a signal that it ignores", state(made), "running")
    made.kill()
    t.equal("kill", made.wait()["StatusCode"], 137)
    t.raises("kill of a stopped one", APIError, made.kill, 409, "not running")
    made.start()
    made.stop(timeout=0)
    t.equal("stop", state(made), "exited")
    made.remove()
    t.raises("remove", NotFound, made.reload, 404, "No such container")
    t.raises("a second remove", NotFound, made.remove, 404, "No such container")


def waits(t):
    quiet = t.client.api.create_container("busybox", ["sh", "-c", "exit 5"], name=t.name("waited"))["Id"]
    made = t.client.containers.get(quiet)
    waiting = Thread(lambda: made.wait(condition="next-exit"))
    time.sleep(0.3)  # most likely waiting by now; else the next check has to try again
    while waiting.is_alive():
        made.start()
        waiting.join(2)
    t.equal("wait for the next exit", waiting.result()["StatusCode"], 5)
    t.equal("wait for one that has ended", made.wait()["StatusCode"], 5)
    waiting = Thread(lambda: made.wait(condition="removed"))
    time.sleep(0.3)
    made.remove()
    try:
        t.equal("wait for the removal", waiting.result()["StatusCode"], 5)
    except NotFound:
        t.ok("wait for the removal that came first", True)


def lists(t):
    first = box(t, "first", labels={"of": t.prefix, "rank": "1"})
    second = box(t, "second", labels={"of": t.prefix, "rank": "2"})
    ended = box(t, "ended", ["sh", "-c", "exit 4"], labels={"of": t.prefix})
    ended.wait()
    t.until("list knows which has ended", lambda: ended.id in ids(t, all=True, filters={"status": "exited"}))
    mine = "of=" + t.prefix
    t.equal("list", ids(t, filters={"label": mine}), {first.id, second.id})
    t.equal("list of all", ids(t, all=True, filters={"label": mine}), {first.id, second.id, ended.id})
    t.equal("list by two labels", ids(t, filters={"label": [mine, "rank=2"]}), {second.id})
    t.equal("list by name", ids(t, filters={"name": "^/%s$" % t.name("first")}), {first.id})
    t.equal("list by a part of the name", ids(t, all=True, filters={"name": t.prefix}), {first.id, second.id, ended.id})
    t.equal("list by id", ids(t, filters={"id": second.id}), {second.id})
    t.equal("list by status", ids(t, filters={"label": mine, "status": "running"}), {first.id, second.id})
    t.equal("list by exit status", ids(t, all=True, filters={"label": mine, "exited": 4}), {ended.id})
    t.equal("list by image", ids(t, filters={"label": mine, "ancestor": "busybox"}), {first.id, second.id})
    t.equal("list before", ids(t, all=True, filters={"label": mine, "before": second.id}), {first.id})
    t.equal("list since", ids(t, all=True, filters={"label": mine, "since": second.id}), {ended.id})
    t.equal("list of the last", ids(t, limit=1), {ended.id})
    entry = t.client.containers.list(sparse=True, filters={"id": first.id})[0]
    t.equal("a sparse entry", (entry.status, entry.attrs["Labels"]["rank"]), ("running", "1"))
    t.raises("list by a filter that there is not", APIError, lambda: t.client.containers.list(filters={"bogus": "1"}), 400, "bogus")


def ids(t, **options):
    return {entry.id for entry in t.client.containers.list(**options)}


def options(t):
    """What is asked for at a create arrives at the engine."""
    t.later(lambda: t.client.volumes.get(t.name("mounted")).remove(force=True))
    made = box(t, "options", ports={"80/tcp": None, "81/udp": None}, cap_add=["NET_ADMIN"], dns=["192.0.2.53"],
               extra_hosts={"other": "192.0.2.1"}, init=True, read_only=True, pids_limit=50, shm_size="1m",
               ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)],
               log_config=docker.types.LogConfig(type="json-file", config={"max-size": "1m"}),
               healthcheck={"test": ["CMD", "true"], "interval": 1000000000}, mounts=[
                   docker.types.Mount("/data", t.name("mounted"), type="volume", labels={"of": t.prefix})])
    made.reload()
    host, config = made.attrs["HostConfig"], made.attrs["Config"]
    t.equal("capabilities, names and limits", (host["CapAdd"], host["Dns"], host["ExtraHosts"], host["ReadonlyRootfs"], host["PidsLimit"]),
            (["NET_ADMIN"], ["192.0.2.53"], ["other:192.0.2.1"], True, 50))
    t.equal("memory to share", host["ShmSize"], 1 << 20)
    t.equal("ulimits", host["Ulimits"], [{"Name": "nofile", "Soft": 100, "Hard": 200}])
    t.equal("log options", host["LogConfig"], {"Type": "json-file", "Config": {"max-size": "1m"}})
    t.equal("health check", (config["Healthcheck"]["Test"], config["Healthcheck"]["Interval"]), (["CMD", "true"], 1000000000))
    t.equal("a mounted volume", [(m["Type"], m["Name"], m["Destination"]) for m in made.attrs["Mounts"]],
            [("volume", t.name("mounted"), "/data")])
    ports = made.ports
    t.ok("published ports", all(ports[p][0]["HostPort"].isdigit() for p in ("80/tcp", "81/udp")), ports)
    t.until("it becomes healthy", lambda: (made.reload(), made.attrs["State"]["Health"]["Status"] == "healthy")[1])
    t.equal("list by health", ids(t, filters={"health": "healthy", "name": t.name("options")}), {made.id})


def conflicts(t):
    made = box(t, "taken")
    t.raises("a name that is taken", APIError, lambda: t.client.containers.create("busybox", name=made.name), 409, "already")
    other = box(t, "other")
    t.raises("rename to a name that is taken", APIError, lambda: other.rename(made.name), 409, "already")
    get = t.client.containers.get
    t.raises("a container that is not there", NotFound, lambda: get(t.name("none")), 404, "No such container: " + t.name("none"))
    t.raises("a create without an image", APIError, lambda: t.client.api.create_container(""), 400)
    t.raises("a name that cannot be one", APIError, lambda: t.client.containers.create("busybox", name="not/a/name"), 400, "not/a/name")
    missing = docker.models.containers.Container(attrs={"Id": t.name("none")}, client=t.client)
    for word, call in (("start", missing.start), ("stop", missing.stop), ("kill", missing.kill), ("wait", missing.wait),
                       ("logs", missing.logs), ("top", missing.top), ("diff", missing.diff), ("pause", missing.pause),
                       ("restart", missing.restart), ("rename", lambda: missing.rename(t.name("new"))),
                       ("update", lambda: missing.update(mem_limit="64m")), ("exec", lambda: missing.exec_run("true")),
                       ("attach", missing.attach), ("stats", lambda: missing.stats(stream=False)),
                       ("export", lambda: b"".join(missing.export())), ("archive", lambda: missing.get_archive("/"))):
        t.raises("%s of one that is not there" % word, NotFound, call, 404, "No such container")


def prune(t):
    ended = t.client.containers.create("busybox", "true", name=t.name("pruned"), labels={"prune": t.prefix})
    other = t.client.containers.create("busybox", "true", name=t.name("kept"), labels={"of": t.prefix})
    t.later(lambda: other.remove(force=True))
    answer = t.client.containers.prune(filters={"label": "prune=" + t.prefix})
    t.equal("prune by label", answer["ContainersDeleted"], [ended.id])
    t.equal("prune leaves the others", state(other), "created")
    t.equal("prune of nothing", t.client.containers.prune(filters={"label": "prune=" + t.prefix})["SpaceReclaimed"], 0)
    t.raises("prune by a filter that there is not", APIError, lambda: t.client.containers.prune(filters={"bogus": "1"}), None, "bogus")


def parallel(t):
    """Twenty at once, each client a connection of its own."""
    runs = [Thread(lambda n=n: t.client.containers.run("busybox", "echo line %d" % n, remove=True)) for n in range(20)]
    t.equal("20 runs at once", [r.result() for r in runs], [b"line %d\n" % n for n in range(20)])


GROUPS = [run, life, waits, lists, options, conflicts, prune, parallel]
