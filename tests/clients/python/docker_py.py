#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docker-py as people use it, against the pool or (--direct) against one engine.

docker_py.py [options] all           every group of checks
docker_py.py [options] few           those of the transport: for further listeners
docker_py.py [options] execs COUNT   so many exec_run, one after the other
docker_py.py [options] prepare       an exec that is not started: prints its id
docker_py.py [options] begin ID      starts it
"""
import argparse
import sys

import docker

import containers
import images
import networks
import streams
import system
from checks import Checks

FEW = [streams.exec_run, streams.exec_socket, streams.logs, streams.attach, streams.archives]
ALL = containers.GROUPS + streams.GROUPS + images.GROUPS + networks.GROUPS + system.GROUPS


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--host", required=True)
    options.add_argument("--tls", help="folder with ca.pem, cert.pem, key.pem")
    options.add_argument("--direct", action="store_true", help="it is one engine")
    options.add_argument("--on", default="docker-py " + docker.__version__, help="what the checks are called")
    options.add_argument("--prefix", default="py", help="of all names")
    options.add_argument("what", choices=["all", "few", "execs", "prepare", "begin"])
    options.add_argument("argument", nargs="?")
    given = options.parse_args()
    tls = None
    if given.tls:
        pair = (given.tls + "/cert.pem", given.tls + "/key.pem")
        tls = docker.tls.TLSConfig(client_cert=pair, ca_cert=given.tls + "/ca.pem", verify=True)
    client = docker.DockerClient(base_url=given.host, tls=tls or False, timeout=120, max_pool_size=40)
    t = Checks(given.on, client, not given.direct, given.prefix)
    if given.what == "execs":
        count = int(given.argument)
        wrong = streams.many_execs(client, count, t.name("execs"))
        t.equal("%d exec_run, one after the other" % count, wrong[:5], [])
    elif given.what == "prepare":
        made = containers.box(t, "prepared")
        print(client.api.exec_create(made.id, ["sh", "-c", "echo begun; exit 9"])["Id"])
        return
    elif given.what == "begin":
        output = client.api.exec_start(given.argument)
        t.equal("exec by its id", (output, client.api.exec_inspect(given.argument)["ExitCode"]), (b"begun\n", 9))
    else:
        for group in ALL if given.what == "all" else FEW:
            t.run(group)
    print("end", flush=True)


sys.exit(main())
