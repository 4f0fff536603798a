# SPDX-License-Identifier: Apache-2.0
"""Networks and volumes."""
from containers import box
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool


def network(t, word, **options):
    made = t.client.networks.create(t.name(word), **options)
    t.later(made.remove)
    return made


def networks(t):
    known = t.client.networks
    made = network(t, "net", labels={"of": t.prefix})
    t.equal("a network without a driver", (made.name, made.attrs["Driver"], made.attrs["Labels"]), (t.name("net"), "bridge", {"of": t.prefix}))
    other = network(t, "other", driver="bridge", internal=True, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet="10.77.0.0/24", gateway="10.77.0.1")]))
    t.equal("a network of its own addresses", (other.attrs["Internal"], other.attrs["IPAM"]["Config"]),
            (True, [{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.1"}]))
    for word, key in (("name", made.name), ("id", made.id), ("short id", made.short_id)):
        t.equal("get by " + word, known.get(key).id, made.id)
    t.equal("list by name", [(n.id, n.name) for n in known.list(names=[made.name])], [(made.id, made.name)])
    t.equal("list by several names", {n.id for n in known.list(names=[made.name, other.name])}, {made.id, other.id})
    t.equal("list by id", [n.id for n in known.list(ids=[made.id])], [made.id])
    t.equal("list by label", [n.id for n in known.list(filters={"label": "of=" + t.prefix})], [made.id])
    t.equal("list by driver and name", [n.id for n in known.list(filters={"driver": "bridge", "name": made.name})], [made.id])
    t.ok("list of those that the engines have", {"bridge", "host", "none"} <= {n.name.split("/")[-1] for n in known.list()})
    t.raises("a network that is not there", NotFound, lambda: known.get(t.name("none")), 404, t.name("none"))
    t.raises("list by a filter that there is not", APIError, lambda: known.list(filters={"bogus": "1"}), 400, "bogus")


def members(t):
    made = network(t, "home", labels={"of": t.prefix}, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet="10.78.0.0/24")]))
    first = box(t, "first", network=made.name)
    second = box(t, "second", network=made.name)
    t.equal("members of a network", first.exec_run("ping -c 1 -W 5 " + second.name).exit_code, 0)
    made.reload()
    t.equal("its containers", {c.id for c in made.containers}, {first.id, second.id})
    t.equal("list greedily", [len(n.containers) for n in t.client.networks.list(names=[made.name], greedy=True)], [2])
    t.equal("list of containers by network", {c.id for c in t.client.containers.list(filters={"network": made.name})}, {first.id, second.id})
    side = network(t, "side", ipam=IPAMConfig(pool_configs=[IPAMPool(subnet="10.79.0.0/24")])) if not t.pool else None
    # One bridge is on one node: what joins another one has to be there, too.
    if side is None:
        node = first.attrs["Node"]["Name"]
        side = t.client.networks.create("%s/%s" % (node, t.name("side")), ipam=IPAMConfig(pool_configs=[IPAMPool(subnet="10.79.0.0/24")]))
        t.later(side.remove)
    side.connect(first)
    side.connect(second, aliases=["alias"], ipv4_address="10.79.0.77")
    t.equal("an alias", first.exec_run("ping -c 1 -W 5 alias").exit_code, 0)
    second.reload()
    t.equal("an address", second.attrs["NetworkSettings"]["Networks"][t.name("side")]["IPAddress"], "10.79.0.77")
    t.raises("connect of a connected one", APIError, lambda: side.connect(second), 403, "already exists")
    t.raises("remove of a network in use", APIError, side.remove, 403, "active endpoints")
    side.disconnect(second)
    second.reload()
    t.equal("disconnect", list(second.attrs["NetworkSettings"]["Networks"]), [made.name])
    side.disconnect(first, force=True)
    t.raises("disconnect of one that is not there", NotFound, lambda: side.disconnect(t.name("none")), 404, t.name("none"))
    side.remove()
    t.raises("remove", NotFound, side.reload, 404)
    first.remove(force=True)
    second.remove(force=True)
    answer = t.client.networks.prune(filters={"label": "of=" + t.prefix})
    t.equal("prune", [name.split("/")[-1] for name in answer["NetworksDeleted"]], [made.name])
    t.equal("prune of nothing", t.client.networks.prune(filters={"label": "of=" + t.prefix})["NetworksDeleted"] or [], [])


def volumes(t):
    known = t.client.volumes
    made = known.create(t.name("data"), driver="local", labels={"of": t.prefix})
    t.later(lambda: made.remove(force=True))
    t.equal("a volume", (made.name, made.attrs["Driver"], made.attrs["Labels"]), (t.name("data"), "local", {"of": t.prefix}))
    t.equal("get", known.get(made.name).name, made.name)
    t.equal("create of one that is there", known.create(made.name, labels={"of": t.prefix}).name, made.name)
    t.equal("list by name", [v.name for v in known.list(filters={"name": made.name})], [made.name])
    t.equal("list by label", {v.name.split("/")[-1] for v in known.list(filters={"label": "of=" + t.prefix})}, {made.name})
    t.equal("list of what is not in use", {v.name.split("/")[-1] for v in known.list(filters={"dangling": True, "name": made.name})}, {made.name})
    using = box(t, "using", volumes={made.name: {"bind": "/data", "mode": "rw"}})
    using.exec_run(["sh", "-c", "echo kept >/data/file"])
    t.equal("what one writes another one reads", t.client.containers.run("busybox", "cat /data/file", volumes=["%s:/data:ro" % made.name], remove=True), b"kept\n")
    t.equal("list of its containers", [c.id for c in t.client.containers.list(filters={"volume": made.name})], [using.id])
    t.raises("remove of one in use", APIError, made.remove, 409, "in use")
    using.remove(force=True)
    nameless = known.create(labels={"of": t.prefix})
    t.later(lambda: nameless.remove(force=True))
    t.equal("a volume without a name", len(nameless.name), 64)
    made.remove()
    t.raises("remove", NotFound, lambda: known.get(made.name), 404, t.name("data"))
    t.raises("remove of one that is not there", NotFound, made.remove, 404)
    pruned = known.prune(filters={"label": "of=" + t.prefix})["VolumesDeleted"]
    t.equal("prune", {name.split("/")[-1] for name in pruned}, {nameless.name})


GROUPS = [networks, members, volumes]
