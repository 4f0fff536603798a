#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three managers of one pool of fake engines, each in a network namespace of its own, and what happens to their primary:
it is killed, stopped for longer than its time, cut off from everything, or told to end. Nodes die with it, or while there
is none. Who says to be the primary, and in which term, is sampled all the time. Prints a line a check, a table of the
times until there was another primary, and "end". As root, in namespaces of the caller's own.

leadership.py --bin DIR --work DIR --name NAME --number N --discovery URL --control HOST:PORT --engines FIRST:COUNT
              [--faults kill,stop,partition,term] [--rounds N] [--seed N] [--ttl SECONDS] [--members FILE]

--members: a store of several, which are killed and started again at random, one at a time, all the while. A line of the
file is a member: the URL that says whether it is well, and its command.
"""
import argparse
import http.client
import json
import os
import random
import shlex
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

LIMIT = 120  # seconds: for what is broken, not a measure


def check(what, good, why=""):
    print(("ok   " if good else "FAIL ") + what + ("" if good or not why else f" ({why})"), flush=True)
    return good


def run(*command):
    subprocess.run(command, check=True)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(connection, method, path, body=None):
    """Status and text."""
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Members:
    def __init__(self, options):
        with open(options.members, encoding="utf-8") as lines:
            self.members = [shlex.split(line) for line in lines]
        self.options = options
        self.random = random.Random(options.seed)
        self.processes = [self.start(member) for member in self.members]
        self.kills = 0
        self.over = threading.Event()
        for member in self.members:
            self.await_health(member)
        self.thread = threading.Thread(target=self.trouble)
        self.thread.start()

    def start(self, member):
        with open(f"{self.options.work}/members.log", "ab") as log:
            return subprocess.Popen(member[1:], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def await_health(self, member):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(member[0], timeout=5) as answer:
                    if json.load(answer)["health"] == "true":
                        return
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        check(f"{self.options.name}: a member of the store is well", False, f"not within {LIMIT} s")

    def trouble(self):
        while not self.over.wait(self.random.uniform(3, 12)):
            which = self.random.randrange(len(self.members))
            self.processes[which].kill()
            self.processes[which].wait()
            self.kills += 1
            self.over.wait(self.random.uniform(0, 4))
            self.processes[which] = self.start(self.members[which])
            self.await_health(self.members[which])

    def end_trouble(self):
        self.over.set()
        self.thread.join()
        print(f"     members of the store were killed {self.kills} times")

    def end(self):
        for process in self.processes:
            process.kill()


class Manager:
    def __init__(self, test, number):
        self.test, self.number = test, number
        self.space = f"{test.options.name}{number}"
        self.link = f"v{self.space}"
        self.net = f"10.{20 + test.options.number}.{number}"
        self.address = f"{self.net}.2:3375"
        self.socket = f"{test.options.work}/{self.space}.sock"
        self.log = f"{test.options.work}/{self.space}.log"
        self.process = None
        self.samples = []  # (before, after, whether it is the primary, term)
        run("ip", "netns", "add", self.space)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        run("ip", "addr", "add", f"{self.net}.1/24", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        for words in (f"addr add {self.net}.2/24 dev eth0", "link set eth0 up", "link set lo up",
                      f"route add default via {self.net}.1"):
            run("ip", "-n", self.space, *words.split())
        threading.Thread(target=self.sample, daemon=True).start()

    def start(self):
        options = self.test.options
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, f"{options.bin}/swarm", "--debug", "manage", "-H", f"tcp://{self.address}",
                 "-H", f"unix://{self.socket}", "--replication", "--replication-ttl", f"{options.ttl}s", "--advertise",
                 self.address, "--engine-silence-timeout", "3s", "--reschedule-grace", "1s", "--engine-flap-limit", "0",
                 options.discovery], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ask(self, method, path, body=None, timeout=30):
        return ask(UnixConnection(self.socket, timeout), method, path, body)

    def sample(self):
        while True:
            before = time.monotonic()
            try:
                text = self.ask("GET", "/metrics", timeout=2)[1]
                values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("swarm_leader"))
                self.samples.append((before, time.monotonic(), values["swarm_leader"] == "1", int(float(values["swarm_leader_term"]))))
            except (OSError, http.client.HTTPException, KeyError, ValueError):
                pass
            time.sleep(0.03)

    def last(self):
        return self.samples[-1] if self.samples and time.monotonic() - self.samples[-1][1] < 2 else (0, 0, False, 0)

    def drop(self, off):
        """All of its packets, or let them pass again."""
        action = "-D" if off else "-I"
        for rule in (["INPUT", "-i"], ["FORWARD", "-i"], ["OUTPUT", "-o"], ["FORWARD", "-o"]):
            run("iptables", "-w", action, rule[0], rule[1], self.link, "-j", "DROP")


class Test:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        first, _, count = options.engines.partition(":")
        self.engines = range(int(first), int(first) + int(count))
        self.managers = [Manager(self, number) for number in (1, 2, 3)]
        self.agents = []
        self.times = {}
        self.members = Members(options) if options.members else None

    def wait(self, what, fn):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            try:
                if fn():
                    return True
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.05)
        return check(f"{self.options.name}: {what}", False, f"not within {LIMIT} s")

    def primaries(self):
        return [manager for manager in self.managers if manager.last()[2]]

    def primary(self):
        self.wait("there is one primary", lambda: len(self.primaries()) == 1)
        return (self.primaries() or self.managers)[0]

    def control(self, method, path, body=None):
        host, _, port = self.options.control.partition(":")
        status, text = ask(http.client.HTTPConnection(host, int(port), timeout=30), method, path, body)
        if status // 100 != 2:
            check(f"{self.options.name}: the fake engines do as they are told", False, f"{method} {path}: {status} {text}")
        return text

    def fault(self, engine, kind):
        self.control("POST", f"/engines/{engine}/fault", {"fault": kind})

    def copies(self, name):
        """Numbers of the engines that have a container of that name, with whether it runs."""
        text = self.control("GET", f"/engines/{self.engines[0]}-{self.engines[-1]}/containers")
        return {int(entry["engine"].rpartition("-")[2]): entry["state"] == "running" for entry in json.loads(text)
                if entry["name"] == name}

    def healthy(self, manager):
        text = manager.ask("GET", "/metrics")[1]
        return f'swarm_nodes{{state="healthy"}} {len(self.engines)}\n' in text

    def begin(self):
        for engine in self.engines:
            address = f"10.77.0.{engine + 1}:2375"
            with open(f"{self.options.work}/agents.log", "ab") as log:
                self.agents.append(subprocess.Popen(
                    [f"{self.options.bin}/swarm", "join", "--heartbeat", "2s", "--ttl", "60s", "--advertise", address,
                     self.options.discovery], stdout=log, stderr=log, stdin=subprocess.DEVNULL))
        for manager in self.managers:
            manager.start()
        for manager in self.managers:
            self.wait("every manager knows all engines", lambda: self.healthy(manager))
        primary = self.primary()
        self.wait("the managers agree on the primary", lambda: self.agree(primary))
        for manager in self.managers:
            lines = self.roles(manager)
            wanted = [["Role", "primary"]] if manager is primary else [["Role", "replica"], ["Primary", primary.address]]
            check(f"{self.options.name}: docker info of manager {manager.number} tells the role", lines[: len(wanted)] == wanted,
                  str(lines))

    def make(self, manager, name):
        """A container that is to be moved when its node dies: its id, and its engine."""
        body = {"Image": "busybox", "Cmd": ["sleep", "100000"], "Env": ["reschedule:on-node-failure"]}
        status, text = manager.ask("POST", f"/v1.41/containers/create?name={name}", body, timeout=LIMIT)
        identity = json.loads(text).get("Id", "")
        started, _ = manager.ask("POST", f"/v1.41/containers/{identity}/start", timeout=LIMIT)
        check(f"{self.options.name}: {name} is made through manager {manager.number}", (status, started) == (201, 204), f"{status} {started} {text}")
        self.wait(f"{name} runs", lambda: True in self.copies(name).values())
        return identity, next(iter(self.copies(name)))

    def follow(self, manager):
        """Set once an event stream through that manager has ended; nothing else sets it, however long it is silent."""
        ended = threading.Event()
        connection = UnixConnection(manager.socket, LIMIT)
        connection.request("GET", "/v1.41/events")
        stream = connection.sock  # which the answer takes over
        answer = connection.getresponse()
        stream.settimeout(None)

        def read():
            try:
                while answer.read1(4096):
                    pass
            except (OSError, http.client.HTTPException):
                pass
            connection.close()
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        return ended

    def strike(self, manager, fault):
        if fault == "kill":
            manager.process.kill()
            manager.process.wait()
        elif fault == "stop":
            manager.process.send_signal(signal.SIGSTOP)
        elif fault == "partition":
            manager.drop(False)
        else:
            manager.process.send_signal(signal.SIGTERM)

    def heal(self, manager, fault):
        if fault == "stop":
            manager.process.send_signal(signal.SIGCONT)
        elif fault == "partition":
            manager.drop(True)
        else:
            if fault == "term":
                check(f"{self.options.name}: one that is told to end exits with 0", manager.process.wait() == 0)
            manager.start()

    def successor(self, old, term):
        """When another one first said to be the primary of a later term; 0: not yet."""
        times = [after for manager in self.managers if manager is not old
                 for before, after, leads, of_term in manager.samples[-200:] if leads and of_term > term]
        return min(times, default=0)

    def roles(self, manager):
        """As docker info has it."""
        return json.loads(manager.ask("GET", "/info")[1])["SystemStatus"][:2]

    def agree(self, primary):
        return all(self.roles(manager) == [["Role", "replica"], ["Primary", primary.address]]
                   for manager in self.managers if manager is not primary)

    def leads(self, manager, term):
        """Whether it still says so, asked from now on."""
        now = time.monotonic()
        self.wait("the primary's answers are sampled", lambda: manager.samples[-1][0] > now)
        return manager.last()[2:] == (True, term)

    def prepare(self, name, made=None):
        """The primary, its term, a container to be moved with its engine, and event streams: one through a replica, one of
        the primary's own. All of them once more where there is another primary by then: a machine with much to do may have
        kept it from telling the store in time."""
        old = self.primary()
        term = old.last()[3]
        self.wait("the managers agree on the primary", lambda: self.agree(old) or not self.leads(old, term))
        others = [manager for manager in self.managers if manager is not old]
        made = made or self.make(self.random.choice(others), name)
        streams = [self.follow(manager) for manager in (self.random.choice(others), old)]
        ended = [stream.is_set() for stream in streams]
        if not self.leads(old, term):
            print(f"     {name}: manager {old.number} lost its place by itself", flush=True)
            return self.prepare(name, made)
        check(f"{name}: event streams go on while the primary stays", not any(ended))
        return old, term, made, streams

    def round(self, number):
        options = self.options
        fault = options.faults[number % len(options.faults)]
        death = self.random.choice(["", "with", "while"]) if number >= len(options.faults) else ["with", "while", "", "with"][number % 4]
        name = f"{options.name}-{number}"
        old, term, (identity, engine), (passed_on, own) = self.prepare(name)
        if death == "with":
            self.fault(engine, "stop")
        struck = time.monotonic()
        self.strike(old, fault)
        if death == "while":
            time.sleep(self.random.uniform(0, options.ttl / 2))
            self.fault(engine, "stop")
        self.wait("there is another primary", lambda: self.successor(old, term))
        took = self.successor(old, term) - struck
        self.times.setdefault(fault, []).append(took)
        self.wait("an event stream from the former primary ends", passed_on.is_set)
        if death:
            self.wait(f"{name} runs elsewhere", lambda: any(runs for where, runs in self.copies(name).items() if where != engine))
        if fault == "stop":
            time.sleep(max(0, struck + options.ttl + 1 - time.monotonic()))
        self.heal(old, fault)
        self.wait("the former primary's own event stream ends", own.is_set)
        if death:
            self.fault(engine, "none")
        new = self.primary()
        for manager in self.managers:
            self.wait("all engines are healthy to all managers", lambda: self.healthy(manager))
        self.wait(f"there is one {name}", lambda: list(self.copies(name).values()) == [True])
        moves = sum(open(manager.log, encoding="utf-8").read().count(f"Rescheduled container {identity} ") for manager in self.managers)
        check(f"{options.name} {number}: {fault} of manager {old.number}{', a node dies ' + death + ' it' if death else ''}: "
              f"manager {new.number} after {took:.2f} s, moved {moves} times",
              moves == bool(death) and list(self.copies(name).values()) == [True], str(self.copies(name)))
        self.wait(f"{name} is removed", lambda: new.ask("DELETE", f"/v1.41/containers/{name}?force=1")[0] in (204, 404))

    def terms(self):
        """(begin, end, manager, term) of each term: from the first answer that tells it to the last question that does."""
        spans = {}
        for manager in self.managers:
            for before, after, leads, term in manager.samples:
                if leads:
                    begin, _ = spans.get((manager.number, term), (after, before))
                    spans[manager.number, term] = (begin, before)
        return sorted((begin, end, *key) for key, (begin, end) in spans.items())

    def end(self):
        if self.members:
            self.members.end_trouble()
        time.sleep(0.3)
        spans = self.terms()
        print(f"     {sum(len(manager.samples) for manager in self.managers)} answers, {len(spans)} terms")
        both = [(one, two) for one, two in zip(spans, spans[1:]) if two[0] < one[1]]
        check(f"{self.options.name}: never two that say to be the primary", not both, str(both))
        numbers = [span[3] for span in spans]
        check(f"{self.options.name}: every term has a greater number", all(a < b for a, b in zip(numbers, numbers[1:])), str(numbers))
        for manager in self.managers:
            manager.process.terminate()
        check(f"{self.options.name}: all managers end well", [manager.process.wait() for manager in self.managers] == [0, 0, 0])
        for agent in self.agents:
            agent.kill()
        if self.members:
            self.members.end()
        self.table()
        print("end")


    def table(self):
        print(f"     {self.options.name + ': until another one leads':32} rounds  median      max  over {self.options.ttl + 1} s")
        for fault, times in self.times.items():
            late = sum(took > self.options.ttl + 1 for took in times)
            print(f"     {fault:32} {len(times):6} {statistics.median(times):5.2f} s {max(times):6.2f} s {late:9}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for word in ("bin", "work", "name", "discovery", "control", "engines"):
        parser.add_argument(f"--{word}", required=True)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--faults", default="kill,stop,partition,term", type=lambda text: text.split(","))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ttl", type=int, default=4)
    parser.add_argument("--members")
    test = Test(parser.parse_args())
    test.begin()
    for number in range(test.options.rounds):
        test.round(number)
    test.end()


if __name__ == "__main__":
    main()
