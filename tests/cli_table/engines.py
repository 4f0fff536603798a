# SPDX-License-Identifier: Apache-2.0
"""Leaves an engine as it was at first: without what a case made and left."""
import http.client
import json
import urllib.parse


def _call(engine, method, path, body=None):
    address = urllib.parse.urlsplit(engine)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text) if answer.status == 200 and text and method == "GET" else None
    finally:
        connection.close()


def remove_containers(engine, name=""):
    """All containers whose name contains it."""
    filters = urllib.parse.quote(json.dumps({"name": [name]}))
    for container in _call(engine, "GET", f"/containers/json?all=1&filters={filters}") or []:
        _call(engine, "DELETE", f"/containers/{container['Id']}?force=1&v=1")


def restore(engine, images, archive):
    """Remove everything but these images, which the archive has where they are gone."""
    remove_containers(engine)
    for network in _call(engine, "GET", "/networks") or []:
        if network["Name"] not in ("bridge", "host", "none"):
            _call(engine, "DELETE", "/networks/" + network["Id"])
    for volume in (_call(engine, "GET", "/volumes") or {}).get("Volumes") or []:
        _call(engine, "DELETE", f"/volumes/{volume['Name']}?force=1")
    for image in _call(engine, "GET", "/images/json") or []:
        tags = [tag for tag in image["RepoTags"] or [] if tag != "<none>:<none>"]
        for tag in tags:
            if tag not in images:
                _call(engine, "DELETE", f"/images/{tag}?force=1")
        if not set(tags) & set(images):
            _call(engine, "DELETE", f"/images/{image['Id']}?force=1")
    _call(engine, "POST", "/build/prune?all=1")
    if not {tag for image in _call(engine, "GET", "/images/json") for tag in image["RepoTags"] or []} >= set(images):
        with open(archive, "rb") as file:
            _call(engine, "POST", "/images/load?quiet=1", file)
