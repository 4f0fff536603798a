# SPDX-License-Identifier: Apache-2.0
"""Clients that keep making, changing and removing containers, and what they were promised."""
import json
import threading

from cast import LABEL, Gone, Refused

MOST = 14  # containers of one client


class Promise:
    def __init__(self, number, name, policy, memory_mib):
        self.number, self.policy, self.memory_mib = number, policy, memory_mib
        self.names = {name}  # that it may have
        self.sure = False  # else it may be there or not
        self.runs = None  # None: nobody can tell
        self.id = None


class Client(threading.Thread):
    """One thread, with containers of its own; @p busy is held while it does something."""

    def __init__(self, number, world, random):
        super().__init__(daemon=True)
        self.number, self.world, self.random = number, world, random
        self.promises = world.promises[number]
        self.busy, self.ending, self.error = threading.Lock(), threading.Event(), None

    def run(self):
        while not self.ending.is_set():
            with self.busy:
                try:
                    self.step()
                except Gone as gone:
                    self.say("no answer:", gone)
                except Exception as error:  # pylint: disable=broad-except  the round tells of it
                    self.error = error
                    return
            self.ending.wait(self.random.uniform(0.05, 0.4))

    def say(self, *words):
        self.world.say("client %d:" % self.number, *words)

    def call(self, method, path, body=None):
        """By any manager that lives."""
        managers = self.random.sample(self.world.managers, len(self.world.managers))
        while True:
            for manager in managers:
                try:
                    if manager.usable():
                        return manager.ask(method, path, body)
                except Refused:
                    pass
            if self.ending.wait(0.1):
                raise Gone("no manager")

    def step(self):
        steps = [self.create] * (8 if sum(promise.sure for promise in self.promises) < MOST else 0) + [self.remove] * 5
        self.random.choice(steps + [self.stop, self.begin, self.rename] * 2 + [self.create_taken])()

    def pick(self):
        sure = [promise for promise in self.promises if promise.sure and len(promise.names) == 1]
        return self.random.choice(sure) if sure else None

    def new_name(self):
        free = sorted(self.world.free_names[self.number])
        if free and self.random.random() < 0.3:
            name = self.random.choice(free)
            self.world.free_names[self.number].discard(name)
            return name
        return "c%d-%d" % (self.number, self.world.next_number(self.number))

    def create(self):
        promise = Promise(self.world.next_number(self.number), self.new_name(), self.random.random() < 0.75, self.random.choice([64, 256, 512, 768]))
        name = min(promise.names)
        ports = {"80/tcp": [{"HostPort": str(self.random.randint(8000, 8005))}]} if self.random.random() < 0.2 else {}
        self.say("create", promise.number, name, "policy" if promise.policy else "", ports or "")
        self.promises.append(promise)
        status, answer = self.call("POST", "/v1.41/containers/create?name=" + name, {
            "Image": "busybox", "Cmd": ["sleep", "100000"], "Labels": {LABEL: str(promise.number)},
            "Env": ["reschedule:on-node-failure"] if promise.policy else [], "ExposedPorts": {port: {} for port in ports},
            "HostConfig": {"Memory": promise.memory_mib << 20, "PortBindings": ports}})
        if status != 201:
            self.say(" ", name, status, answer[:200])
            return
        promise.id, promise.sure, promise.runs = json.loads(answer)["Id"], True, False
        if self.random.random() < 0.9:
            self.set_running(promise, "start", True)

    def create_taken(self):
        promise = self.pick()
        if promise and promise.policy:
            name = min(promise.names)
            status, _ = self.call("POST", "/v1.41/containers/create?name=" + name, {"Image": "busybox", "Labels": {LABEL: "0"}})
            self.say("create again", name, status)
            assert status != 201, "%s is taken, and was given once more" % name

    def set_running(self, promise, how, runs):
        before, promise.runs = promise.runs, None
        name = min(promise.names)
        status, answer = self.call("POST", "/v1.41/containers/%s/%s%s" % (name, how, "?t=0" if how == "stop" else ""))
        if status in (204, 304):
            promise.runs = runs
        elif status in (404, 409):
            promise.runs = before
        self.say(how, name, status, b"" if status in (204, 304) else answer[:200])

    def stop(self):
        promise = self.pick()
        if promise:
            self.set_running(promise, "stop", False)

    def begin(self):
        promise = self.pick()
        if promise:
            self.set_running(promise, "start", True)

    def rename(self):
        promise = self.pick()
        if not promise:
            return
        old, new = min(promise.names), self.new_name()
        promise.names = {old, new}
        status, answer = self.call("POST", "/v1.41/containers/%s/rename?name=%s" % (old, new))
        self.say("rename", old, new, status, b"" if status == 204 else answer[:200])
        if status == 204:
            promise.names = {new}
            self.world.free_names[self.number].add(old)
        elif status < 500:
            promise.names = {old}

    def remove(self):
        promise = self.pick()
        if not promise:
            return
        name = min(promise.names)
        promise.sure = False
        status, answer = self.call("DELETE", "/v1.41/containers/%s?force=1" % name)
        self.say("remove", promise.number, name, status, b"" if status == 204 else answer[:200])
        if status == 204:
            self.promises.remove(promise)
            self.world.removed.add(promise.number)
            self.world.free_names[self.number].add(name)
        elif status < 500:
            promise.sure = True
