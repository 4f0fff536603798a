#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a manager takes to know what the record in etcd says: containers with a policy on nodes that are away. Starts
an etcd and a manager on ports of loopback that are free by default; no root, nothing is kept.

store_record.py --bin DIR [--containers N] [--nodes N] [--port N]
"""
import argparse
import base64
import json
import os
import subprocess
import tempfile
import time
import urllib.request


def code(text):
    return base64.b64encode(text.encode()).decode()


def container(number):
    """Its id and its record, as a manager writes it for one with twenty variables."""
    own, swarm = f"{number:064x}", f"{number + (1 << 200):064x}"
    labels = {"com.docker.swarm.id": swarm, "com.docker.swarm.reschedule-policies": '["on-node-failure"]'}
    inspect = {
        "Id": own, "Name": f"/c{number}", "Created": "2026-01-01T00:00:00Z", "Path": "sleep", "Args": ["100000"],
        "Image": "sha256:" + "0" * 64, "Driver": "overlay2", "Platform": "linux", "Mounts": [],
        "Config": {"Hostname": own[:12], "Env": ["PATH=/usr/bin"] + [f"VARIABLE_{k}=some value of it" for k in range(20)],
                   "Cmd": ["sleep", "100000"], "Image": "busybox", "Labels": labels},
        "HostConfig": {"NetworkMode": "default", "RestartPolicy": {"Name": "no"}, "Memory": 1 << 20, "Binds": None},
        "NetworkSettings": {"Networks": {"bridge": {}}},
    }
    entry = {"Id": own, "Names": [f"/c{number}"], "Image": "busybox", "ImageID": "sha256:" + "0" * 64,
             "Command": "sleep 100000", "Created": 1767225600, "HostConfig": {"NetworkMode": "default"}, "Mounts": []}
    return own, {"v": 1, "swarm_id": swarm, "name": f"c{number}", "entry": entry, "inspect": inspect}


def records(options):
    for node in range(options.nodes):
        yield f"node/ID-{node}", {"v": 1, "name": f"node-{node}", "address": f"10.78.{node // 250}.{node % 250 + 1}:2375",
                                  "ip": "", "cpus": 64, "memory": 1 << 38}
    for number in range(options.containers):
        own, record = container(number)
        where = f"ID-{number % options.nodes}/{own}"
        yield f"container/{where}", record
        yield f"state/{where}", {"v": 1, "wanted": "running", "stop_asked": 0, "term": 1}


def put(url, pairs):
    operations = [{"request_put": {"key": code("docker/swarm/records/kept/" + key),
                                   "value": code(json.dumps(value, separators=(",", ":")))}} for key, value in pairs]
    urllib.request.urlopen(urllib.request.Request(url + "/v3/kv/txn", json.dumps({"success": operations}).encode())).read()


def fill(url, options):
    batch = []
    for pair in records(options):
        batch.append(pair)
        if len(batch) == 100:
            put(url, batch)
            batch = []
    if batch:
        put(url, batch)


def wait_for(url):
    end = time.monotonic() + 600
    while time.monotonic() < end:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--containers", type=int, default=30000)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--port", type=int, default=23790)
    options = parser.parse_args()
    url, peer = f"http://127.0.0.1:{options.port}", f"http://127.0.0.1:{options.port + 1}"
    manager_at = f"127.0.0.1:{options.port + 2}"
    with tempfile.TemporaryDirectory() as folder:
        etcd = subprocess.Popen(["etcd", "--data-dir", folder + "/etcd", "--log-level", "error", "--listen-client-urls", url,
                                 "--advertise-client-urls", url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls",
                                 peer, "--initial-cluster", "default=" + peer])
        try:
            wait_for(url + "/health")
            fill(url, options)
            began = time.monotonic()
            manager = subprocess.Popen([options.bin + "/swarm-manage", "-H", "tcp://" + manager_at, "--state-dir", folder,
                                        "etcd://" + url[7:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_for(f"http://{manager_at}/_ping")
                took = time.monotonic() - began
                with open(f"/proc/{manager.pid}/stat", encoding="ascii") as file:
                    fields = file.read().rpartition(")")[2].split()
                with open(f"/proc/{manager.pid}/status", encoding="ascii") as file:
                    memory = next(line.split()[1] for line in file if line.startswith("VmRSS"))
                listed = len(json.loads(wait_for(f"http://{manager_at}/containers/json?all=1")))
            finally:
                manager.terminate()
                manager.wait()
        finally:
            etcd.terminate()
            etcd.wait()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    print(f"{listed} containers: ready after {took:.2f} s, {cpu:.2f} s of CPU time, {int(memory) / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
