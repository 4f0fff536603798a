#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random faults, and whether clients are kept what they were promised.

faults.py SEED ROUNDS MANAGER CONTROL START: each round does some of: create and start, remove, stop, start and rename
containers; engines stop, fall silent and come back; the manager is killed and started anew, at times while it moves
containers. START is a command that starts a manager; it has a folder of its own to keep. Then all is healed, and what
engines (tests/kit/fake_engines.md) have is compared with what clients were told. The same seed does the same things at the
same places; what happens in between is up to the machine."""
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time

ENGINES = 5
LOST_MAX = 2  # at once: with more the manager holds its moves
PATIENCE_S = 120
STEPS = ["claimed", "created", "moved", "started", "removing", "removed"]


class Gone(Exception):
    """The manager did not answer: nobody knows what it did."""


def ask(address, method, path, body=None, timeout=60):
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Gone(str(error)) from error
    finally:
        connection.close()


class World:
    def __init__(self, seed, manager, control, start):
        self.random = random.Random(seed)
        self.manager, self.control, self.start_command = manager, control, start
        self.process = None
        self.names = 0
        self.away = set()
        # What clients know: name -> {"policy", "runs", "engine"}; a value of None: nobody can tell.
        self.promised = {}
        self.removed = set()  # names
        self.unsure = set()  # of these there may be one or none
        self.log = []

    def say(self, *words):
        self.log.append(" ".join(str(word) for word in words))

    # --- the manager ---

    def start(self, kill_at=""):
        environment = dict(os.environ, SWARM_TEST_KILL_AT=kill_at)
        self.process = subprocess.Popen(self.start_command, shell=True, start_new_session=True, env=environment)
        self.wait("the manager answers", self.answers)

    def answers(self):
        self.revive()  # it may have come to that step before it answered anybody
        return ask(self.manager, "GET", "/_ping", timeout=5)[0] == 200

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def wait(self, what, holds):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except Gone:
                pass
            time.sleep(0.1)
        raise AssertionError("not within %d s: %s" % (PATIENCE_S, what))

    def call(self, method, path, body=None):
        return ask(self.manager, method, path, body)

    # --- engines ---

    def fault(self, engine, what):
        status, answer = ask(self.control, "POST", "/engines/%d/fault" % engine, {"fault": what})
        assert status < 300, answer

    def truth(self):
        """name -> list of (engine, state)"""
        found = {}
        for one in json.loads(ask(self.control, "GET", "/engines/all/containers")[1]):
            found.setdefault(one["name"].lstrip("/"), []).append((one["engine"], one["state"]))
        return found

    # --- what happens ---

    def create(self):
        self.names += 1
        name, policy = "c%d" % self.names, self.random.random() < 0.75
        body = {"Image": "busybox", "Cmd": ["sleep", "100000"], "Env": ["reschedule:on-node-failure"] if policy else []}
        self.say("create", name, "policy" if policy else "")
        self.unsure.add(name)
        self.promised[name] = {"policy": policy, "runs": None}
        status, answer = self.call("POST", "/v1.41/containers/create?name=" + name, body)
        if status != 201:
            self.say(" ", status)
            return
        self.unsure.discard(name)
        self.promised[name]["runs"] = False
        self.set_running(name, "start", True)

    def pick(self):
        sure = sorted(set(self.promised) - self.unsure)
        return self.random.choice(sure) if sure else None

    def set_running(self, name, how, runs):
        before, self.promised[name]["runs"] = self.promised[name]["runs"], None
        status, _ = self.call("POST", "/v1.41/containers/%s/%s%s" % (name, how, "?t=0" if how == "stop" else ""))
        if status in (204, 304):
            self.promised[name]["runs"] = runs
        elif status in (404, 409):
            self.promised[name]["runs"] = before
        self.say(how, name, status)

    def stop(self):
        name = self.pick()
        if name:
            self.set_running(name, "stop", False)

    def begin(self):
        name = self.pick()
        if name:
            self.set_running(name, "start", True)

    def remove(self):
        name = self.pick()
        if not name:
            return
        self.unsure.add(name)
        status, _ = self.call("DELETE", "/v1.41/containers/%s?force=1" % name)
        self.say("remove", name, status)
        if status == 204:
            self.unsure.discard(name)
            del self.promised[name]
            self.removed.add(name)

    def lose(self):
        here = [engine for engine in range(ENGINES) if engine not in self.away]
        if len(self.away) < LOST_MAX:
            engine = self.random.choice(here)
            how = self.random.choice(["stop", "silent"])
            self.say(how, engine)
            self.away.add(engine)
            self.fault(engine, how)
            self.pause()

    def bring_back(self):
        if self.away:
            engine = self.random.choice(sorted(self.away))
            self.say("back", engine)
            self.away.discard(engine)
            self.fault(engine, "none")

    def restart(self):
        # At times it will kill itself, at that step of the next move or removal.
        kill_at = self.random.choice([""] + STEPS)
        self.say("kill the manager", "(the next one kills itself when it has %s)" % kill_at if kill_at else "")
        self.kill()
        time.sleep(self.random.choice([0, 0, 0.5]))
        self.start(kill_at)

    def revive(self):
        if self.process.poll() == -signal.SIGKILL:
            self.say("it has killed itself")
            self.start()
        assert self.process.poll() is None, "the manager ended with status %d" % self.process.returncode

    def pause(self):
        time.sleep(self.random.random() * (6 if self.away else 0.5))

    def round(self):
        steps = ([self.create] * 8 + [self.remove] * 4 + [self.stop, self.begin] * 2 + [self.lose] * 3 +
                 [self.bring_back] * 2 + [self.restart] * 3 + [self.pause] * 6)
        for _ in range(0 if self.names else 12):
            self.create()
        for _ in range(self.random.randint(10, 25)):
            self.revive()
            try:
                self.random.choice(steps)()
            except Gone as gone:
                self.say("  no answer:", gone)
        while self.away:
            self.bring_back()
        if self.random.random() < 0.5:
            self.restart()
        self.compare()

    # --- what is to be ---

    def settled(self):
        self.revive()
        status, answer = self.call("GET", "/info")
        if status != 200:
            return False
        lines = [line[0].strip() + "=" + line[1] for line in json.loads(answer)["SystemStatus"]]
        return (sum(line.endswith("Status=Healthy") for line in lines) == ENGINES and
                not any("waiting" in line for line in lines) and not self.breaches())

    def breaches(self):
        truth, found = self.truth(), []
        for name, promise in self.promised.items():
            copies = truth.get(name, [])
            if name in self.unsure and len(copies) <= 1:
                continue
            if len(copies) != 1:
                found.append("%s is there %d times: %s" % (name, len(copies), copies))
            elif promise["runs"] is not None and (copies[0][1] == "running") != promise["runs"]:
                found.append("%s is %s, and is to be %s" % (name, copies[0], "running" if promise["runs"] else "stopped"))
        for name in self.removed:
            if name in truth:
                found.append("%s was removed, and is there: %s" % (name, truth[name]))
        listed = sorted(one["Names"][0].split("/")[-1] for one in json.loads(self.call("GET", "/containers/json?all=1")[1]))
        if listed != sorted(name for name, copies in truth.items() for _ in copies):
            found.append("the list is another one than the engines'")
        return found

    def compare(self):
        try:
            self.wait("everything is as promised", self.settled)
        except AssertionError as error:
            raise AssertionError("%s: %s" % (error, "; ".join(self.breaches()) or "moves are waiting still")) from error
        for name in sorted(self.unsure):  # whatever it is, it is what counts from here on
            copies = self.truth().get(name, [])
            if not copies:
                del self.promised[name]
            else:
                self.promised[name]["runs"] = copies[0][1] == "running"
        self.unsure.clear()


def main():
    seed, rounds, manager, control, start = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
    world = World(seed, manager, control, start)
    print("seed %d, %d rounds" % (seed, rounds), flush=True)
    world.start()
    failed = 0
    for number in range(rounds):
        world.log = []
        try:
            world.round()
        except AssertionError as error:
            print("FAIL round %d of seed %d: %s\n  %s" % (number, seed, error, "\n  ".join(world.log)), flush=True)
            failed = 1
            break
    if not failed:
        print("ok   %d rounds of seed %d: %d containers, all as promised" % (rounds, seed, world.names), flush=True)
    world.kill()
    print("end", flush=True)


main()
