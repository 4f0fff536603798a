# SPDX-License-Identifier: Apache-2.0
"""Whether a manager's lists are its engines' own, entry by entry."""
from wire import ask_json


def of_engine(entry, node, ip):
    """A container's entry as the manager is to show it. How long something has been up, the two say at two times."""
    shown = dict(entry, Names=["/%s%s" % (node, name) for name in entry["Names"]])
    ports = []
    for port in entry["Ports"]:
        port = dict(port, IP=ip) if port.get("IP") in ("0.0.0.0", "::") else port
        if port not in ports:
            ports.append(port)
    return dict(shown, Ports=ports, Status=entry["Status"].split(" ")[0])


def differences(what, ours, theirs, most=5):
    """Two dictionaries of entries."""
    found = ["%s: the manager lists %s, which no engine has" % (what, key) for key in sorted(set(ours) - set(theirs))]
    found += ["%s: the manager lacks %s" % (what, key) for key in sorted(set(theirs) - set(ours))]
    for key in sorted(set(ours) & set(theirs)):
        if ours[key] != theirs[key]:
            fields = [field for field in sorted(set(ours[key]) | set(theirs[key]))
                      if ours[key].get(field) != theirs[key].get(field)]
            found.append("%s %s: %s" % (what, key, "; ".join("%s is %s, not %s" % (
                field, ours[key].get(field), theirs[key].get(field)) for field in fields)))
    more = len(found) - most
    return found[:most] + (["%s: and %d more" % (what, more)] if more > 0 else [])


def lists(manager, engines):
    """engines: as the control describes them. Returns what differs, and how many entries there are."""
    containers, networks, volumes, images, names = {}, {}, {}, {}, {}
    for engine in engines:
        node, address = engine["name"], engine["address"]
        ip = address.split(":")[0]
        for entry in ask_json(address, "/v1.41/containers/json?all=1"):
            containers[node, entry["Id"]] = of_engine(entry, node, ip)
            names.setdefault(entry["Names"][0], []).append(node)
        for entry in ask_json(address, "/v1.41/networks"):
            networks[node, entry["Id"]] = {"Name": entry["Name"], "Driver": entry["Driver"]}
        for entry in ask_json(address, "/v1.41/volumes")["Volumes"]:
            volumes[node, entry["Name"]] = {"Driver": entry["Driver"], "Labels": entry["Labels"]}
        for entry in ask_json(address, "/v1.41/images/json"):
            images[entry["Id"]] = {}
    found = ["%s is there %d times: on %s" % (name, len(on), ", ".join(on)) for name, on in sorted(names.items()) if len(on) > 1]
    ours = {}
    for entry in ask_json(manager, "/v1.41/containers/json?all=1"):
        node = entry["Names"][0].split("/")[1]
        ours[node, entry["Id"]] = dict(entry, Status=entry["Status"].split(" ")[0])
    found += differences("container", ours, containers)
    split = [entry["Name"].split("/") + [entry] for entry in ask_json(manager, "/v1.41/networks")]
    found += differences("network", {(node, entry["Id"]): {"Name": name, "Driver": entry["Driver"]}
                                     for node, name, entry in split}, networks)
    split = [entry["Name"].split("/") + [entry] for entry in ask_json(manager, "/v1.41/volumes")["Volumes"] or []]
    found += differences("volume", {(node, name): {"Driver": entry["Driver"], "Labels": entry["Labels"]}
                                    for node, name, entry in split}, volumes)
    found += differences("image", {entry["Id"]: {} for entry in ask_json(manager, "/v1.41/images/json")}, images)
    return found, len(containers) + len(networks) + len(volumes)
