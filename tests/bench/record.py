#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the record of containers that may be moved costs: a manager over fake engines whose containers all have a reschedule
policy, without a record, with one in an SQLite file, and with one in etcd. For each: processor time and latency of a create
with its start, memory, the size of what is stored, and how long a manager that was killed takes until it knows everything
again, with its engines there and with none of them. Needs etcd on PATH; everything listens on loopback.

record.py --bin DIR [--fakes PROGRAM] [--engines N] [--containers N] [--operations N] [--stores none,sqlite,etcd] [--json]
"""
import argparse
import base64
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

MANAGER, CONTROL, ETCD, PEER = "127.0.0.1:3391", "127.0.0.1:3392", "127.0.0.1:3393", "127.0.0.1:3394"
POLICY = 'com.docker.swarm.reschedule-policies=["on-node-failure"]'
PATIENCE_S = 600
TICKS = os.sysconf("SC_CLK_TCK")


def ask(address, method, path, body=None, connection=None):
    own = connection or http.client.HTTPConnection(address, timeout=120)
    own.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = own.getresponse()
    text = answer.read()
    if not connection:
        own.close()
    return answer.status, text


def wait(what, holds):
    begin = time.monotonic()
    while time.monotonic() < begin + PATIENCE_S:
        try:
            if holds():
                return time.monotonic() - begin
        except (OSError, http.client.HTTPException, ValueError):
            pass
        time.sleep(0.02)
    raise SystemExit("record.py: not within %d s: %s" % (PATIENCE_S, what))


def median(values):
    return statistics.median(values) if values else 0


class Manager:
    def __init__(self, bench, store):
        self.bench, self.store = bench, store
        self.folder = bench.work + "/state-" + store
        self.process = None

    def start(self):
        # A machine that is busy with other things must not make it move containers.
        options = ["--engine-stop-timeout", "60s", "--engine-silence-timeout", "120s", "--reschedule-grace", "1h",
                   "--state-dir", "none" if self.store == "none" else self.folder] + self.bench.discovery(self.store)
        with open(self.bench.work + "/manage-%s.log" % self.store, "ab") as log:
            self.process = subprocess.Popen([self.bench.options.bin + "/swarm", "manage", "-H", "tcp://" + MANAGER] + options,
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.bench.managers = [self.process]
        return wait("the manager answers", lambda: ask(MANAGER, "GET", "/_ping")[0] == 200)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1000

    def knows_all(self):
        info = json.loads(ask(MANAGER, "GET", "/info")[1])
        healthy = sum(line[0].endswith("Status") and line[1] == "Healthy" for line in info["SystemStatus"])
        return healthy == self.bench.options.engines and info["Containers"] == self.bench.count

    def lists_all(self):
        return ask(MANAGER, "GET", "/containers/json?all=1")[1].count(b'"Id":') == self.bench.count

    def stored_bytes(self):
        """What its record takes, once nothing is written any more."""
        size, since = -1, time.monotonic()
        while time.monotonic() < since + 3:
            now = self.bench.etcd_bytes() if self.store == "etcd" else self.file_bytes()
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.2)
        return size

    def file_bytes(self):
        files = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return sum(os.path.getsize(self.folder + "/" + file) for file in files)


class Bench:
    def __init__(self, options):
        self.options, self.count = options, options.engines * options.containers
        self.work = tempfile.mkdtemp(prefix="swarm-record.")
        self.programs, self.managers = [], []
        self.run([options.fakes or options.bin + "/swarm-fake-engines", "--engines", str(options.engines), "--containers",
                  str(options.containers), "--own", "--container-label", POLICY, "--control", CONTROL, "--addresses", self.work + "/pool"])
        wait("the fake engines are there", lambda: ask(CONTROL, "GET", "/stats")[0] == 200)
        self.has_etcd = False

    def run(self, command):
        with open(self.work + "/programs.log", "ab") as log:
            self.programs.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def discovery(self, store):
        if store != "etcd":
            return ["file://" + self.work + "/pool"]
        if not self.has_etcd:
            self.start_etcd()
        return ["etcd://%s/record" % ETCD]

    def start_etcd(self):
        self.run(["etcd", "--data-dir", self.work + "/etcd", "--log-level", "error", "--listen-client-urls", "http://" + ETCD,
                  "--advertise-client-urls", "http://" + ETCD, "--listen-peer-urls", "http://" + PEER,
                  "--initial-advertise-peer-urls", "http://" + PEER, "--initial-cluster", "default=http://" + PEER])
        wait("etcd answers", lambda: ask(ETCD, "GET", "/health")[0] == 200)
        with open(self.work + "/pool", encoding="ascii") as file:
            for address in file.read().split():
                self.announce(address)
        self.has_etcd = True

    @staticmethod
    def announce(address):
        key = base64.b64encode(("record/docker/swarm/nodes/" + address).encode()).decode()
        status, _ = ask(ETCD, "POST", "/v3/kv/put", {"key": key, "value": base64.b64encode(address.encode()).decode()})
        assert status == 200

    @staticmethod
    def etcd_bytes():
        return int(json.loads(ask(ETCD, "POST", "/v3/maintenance/status", {})[1])["dbSize"])

    # --- what is measured ---

    def make(self, number, count, times):
        connection = http.client.HTTPConnection(MANAGER, timeout=120)
        for i in range(count):
            begin = time.monotonic()
            status, text = ask(None, "POST", "/v1.41/containers/create?name=made-%d-%d" % (number, i), {
                "Image": "busybox", "Cmd": ["sleep", "1000000"], "Env": ["reschedule:on-node-failure"]}, connection)
            assert status == 201, text
            status, text = ask(None, "POST", "/v1.41/containers/%s/start" % json.loads(text)["Id"], None, connection)
            assert status == 204, text
            times.append((time.monotonic() - begin) * 1000)
        connection.close()

    def creates(self, manager, at_once):
        """Processor time each, and how long they take, in ms."""
        count, times, cpu = self.options.operations // at_once, [], manager.cpu()
        threads = [threading.Thread(target=self.make, args=(number, count, times)) for number in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cpu = (manager.cpu() - cpu) * 1000 / len(times)
        for number in range(at_once):
            for i in range(count):
                assert ask(MANAGER, "DELETE", "/v1.41/containers/made-%d-%d?force=1" % (number, i))[0] == 204
        times.sort()
        return {"cpu_ms": round(cpu, 2), "median_ms": round(median(times), 2), "p99_ms": round(times[len(times) * 99 // 100], 2)}

    def starts(self, manager):
        """Killed and started anew: how long until it answers, and until it knows everything."""
        manager.kill()
        begin = time.monotonic()
        manager.start()
        answers = time.monotonic() - begin
        wait("everything is known again", manager.knows_all)
        return {"answers_s": round(answers, 2), "all_known_s": round(time.monotonic() - begin, 2), "cpu_s": round(manager.cpu(), 2)}

    def starts_alone(self, manager):
        """The same while no engine answers: all is known from the record."""
        manager.kill()
        ask(CONTROL, "POST", "/engines/all/fault", {"fault": "stop"})
        begin = time.monotonic()
        manager.start()
        answers = time.monotonic() - begin
        wait("everything is listed", manager.lists_all)
        found = {"answers_s": round(answers, 2), "all_listed_s": round(time.monotonic() - begin, 2), "memory_mb": round(manager.memory_mb())}
        ask(CONTROL, "POST", "/engines/all/fault", {"fault": "none"})
        wait("everything is there again", manager.knows_all)
        return found

    def measure(self, store):
        manager = Manager(self, store)
        begin = time.monotonic()
        manager.start()
        wait("everything is known", manager.knows_all)
        found = {"store": store, "containers": self.count, "first_s": round(time.monotonic() - begin, 2), "first_cpu_s": round(manager.cpu(), 2)}
        found["stored_mb"] = round(manager.stored_bytes() / 1e6, 1)
        found["memory_mb"] = round(manager.memory_mb())
        found["create_1"] = self.creates(manager, 1)
        found["create_16"] = self.creates(manager, 16)
        found["restart"] = self.starts(manager)
        if store != "none":
            found["restart_alone"] = self.starts_alone(manager)
        manager.process.send_signal(signal.SIGTERM)
        manager.process.wait()
        return found

    def end(self):
        for program in self.programs + self.managers:
            program.kill()
            program.wait()
        shutil.rmtree(self.work)


def tell(found):
    print("record: %s; %d containers" % (found["store"], found["containers"]))
    print("  first start     %6.2f s, %.2f s of a processor; %d MB resident; %.1f MB stored" % (
        found["first_s"], found["first_cpu_s"], found["memory_mb"], found["stored_mb"]))
    for at_once in (1, 16):
        create = found["create_%d" % at_once]
        print("  create + start  %6.2f ms of a processor, median %.2f ms, 99 %% within %.2f ms, %d at once" % (
            create["cpu_ms"], create["median_ms"], create["p99_ms"], at_once))
    print("  killed, started %6.2f s until it answers, %.2f s until all is known, %.2f s of a processor" % (
        found["restart"]["answers_s"], found["restart"]["all_known_s"], found["restart"]["cpu_s"]))
    if "restart_alone" in found:
        print("  without engines %6.2f s until it answers, %.2f s until all is listed; %d MB resident" % (
            found["restart_alone"]["answers_s"], found["restart_alone"]["all_listed_s"], found["restart_alone"]["memory_mb"]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--fakes")
    parser.add_argument("--engines", type=int, default=1000)
    parser.add_argument("--containers", type=int, default=30, help="of each engine")
    parser.add_argument("--operations", type=int, default=320)
    parser.add_argument("--stores", default="none,sqlite,etcd")
    parser.add_argument("--json", action="store_true")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench = Bench(parser.parse_args())
    try:
        for store in bench.options.stores.split(","):
            found = bench.measure(store)
            if bench.options.json:
                print(json.dumps(found), flush=True)
            else:
                tell(found)
    finally:
        bench.end()


main()
