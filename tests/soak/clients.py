# SPDX-License-Identifier: Apache-2.0
"""What the soak's clients do: each is a thread with a random sequence of its own, at its own pace."""
import collections
import json
import random
import threading
import time
from urllib.parse import quote

from wire import Gone, Stuck, ask, send, stay



class Client(threading.Thread):
    """One that makes, uses and removes containers of its own, and looks at those of all."""

    def __init__(self, number, seed, manager, engines, rate, own_most):
        super().__init__(daemon=True)
        self.random = random.Random("%s/%d" % (seed, number))
        self.number, self.manager, self.engines = number, manager, engines
        self.period, self.own_most = 1 / rate, own_most
        self.made, self.own, self.volumes, self.networks = 0, [], [], []
        self.counts = collections.Counter()  # (operation, status)
        self.stuck = []
        self.goes, self.ends = threading.Event(), False
        self.rests = threading.Event()
        self.steps, self.weights = zip(*(
            (self.create, 12), (self.remove, 10), (self.stop, 3), (self.begin, 4), (self.restart, 2), (self.kill, 1),
            (self.pause, 1), (self.rename, 2), (self.update, 1), (self.refused, 2), (self.dry_run, 2),
            (self.inspect, 20), (self.unknown, 2), (self.logs, 10), (self.top, 2), (self.execute, 8), (self.attach, 2),
            (self.wait, 1), (self.follow, 2), (self.stats, 1), (self.listen, 3), (self.history, 1),
            (self.list_some, 8), (self.list_all, 1), (self.list_objects, 1), (self.info, 1), (self.volume, 2),
            (self.network, 2), (self.image, 1), (self.half, 2), (self.garbage, 1)))

    def run(self):
        due = time.monotonic()
        while not self.ends:
            if not self.goes.is_set():
                self.rests.set()
                self.goes.wait(0.5)
                due = time.monotonic()
                continue
            self.rests.clear()
            due = max(due + self.period, time.monotonic() - 10 * self.period)
            time.sleep(max(0, due - time.monotonic()))
            step = self.random.choices(self.steps, self.weights)[0]
            try:
                status = step()
            except Gone:
                status = "broken off"
            except Stuck as error:
                status = "stuck"
                self.stuck.append(str(error))
            self.counts[step.__name__, status] += 1

    # --- words ---

    def call(self, method, path, body=None):
        status, self.answer = ask(self.manager, method, "/v1.41" + path, body)
        return status

    def leave(self, method, path, seconds, body=None, upgrade=False):
        return stay(send(self.manager, method, "/v1.41" + path, body, upgrade), seconds)

    def mine(self):
        return self.random.choice(self.own) if self.own else self.any()

    def any(self):
        number = self.random.randrange(self.engines)
        return "web-%d-%d" % (number, self.random.randrange(5))

    def node(self):
        return "node-%d" % self.random.randrange(self.engines)

    def name(self):
        self.made += 1
        return "soak-%d-%d" % (self.number, self.made)

    # --- containers ---

    def create(self):
        if len(self.own) >= self.own_most:
            return self.remove()
        name, env, host = self.name(), [], {}
        if self.random.random() < 0.3:
            env.append("reschedule:on-node-failure")
        if self.random.random() < 0.3:
            env.append("constraint:node!=" + self.node())
        if self.random.random() < 0.2:
            host["PortBindings"] = {"80/tcp": [{"HostPort": str(10000 + self.random.randrange(20000))}]}
        if self.random.random() < 0.2:
            host["Memory"] = 64 << 20
        command = self.random.choice([["sleep", "1000000"]] * 6 + [["sh", "-c", "echo a; sleep 2"], ["cat"]])
        body = {"Image": "busybox", "Cmd": command, "Env": env, "HostConfig": host, "Labels": {"soak": name},
                "OpenStdin": command == ["cat"]}
        status = self.call("POST", "/containers/create?name=" + name, body)
        if status != 201:
            return status
        self.own.append(name)
        return self.call("POST", "/containers/%s/start" % name)

    def remove(self):
        if not self.own:
            return "-"
        name = self.mine()
        status = self.call("DELETE", "/containers/%s?force=1&v=1" % name)
        if status in (204, 404):
            self.own.remove(name)
        return status

    def stop(self):
        return self.call("POST", "/containers/%s/stop?t=0" % self.mine())

    def begin(self):
        return self.call("POST", "/containers/%s/start" % self.mine())

    def restart(self):
        return self.call("POST", "/containers/%s/restart?t=0" % self.mine())

    def kill(self):
        return self.call("POST", "/containers/%s/kill" % self.mine())

    def pause(self):
        name = self.mine()
        self.call("POST", "/containers/%s/pause" % name)
        return self.call("POST", "/containers/%s/unpause" % name)

    def rename(self):
        if not self.own:
            return "-"
        old, new = self.mine(), self.name()
        status = self.call("POST", "/containers/%s/rename?name=%s" % (old, new))
        if status == 204:
            self.own[self.own.index(old)] = new
        return status

    def update(self):
        return self.call("POST", "/containers/%s/update" % self.mine(), {"Memory": 128 << 20})

    def refused(self):
        env = self.random.choice(["constraint:node==nowhere", "constraint:node=", "affinity:container==none-there"])
        return self.call("POST", "/containers/create?name=" + self.name(), {"Image": "busybox", "Env": [env]})

    def dry_run(self):
        return self.call("POST", "/containers/create?dryrun=1&name=" + self.name(), {"Image": "busybox"})

    # --- looks ---

    def inspect(self):
        return self.call("GET", "/containers/%s/json" % self.random.choice([self.mine, self.any])())

    def unknown(self):
        return self.call("GET", "/containers/%s/json" % self.name())

    def logs(self):
        return self.call("GET", "/containers/%s/logs?stdout=1&stderr=1" % self.any())

    def top(self):
        return self.call("GET", "/containers/%s/top" % self.any())

    def list_some(self):
        filters = self.random.choice([{"name": [self.mine()]}, {"label": ["soak"]}, {"node": [self.node()]},
                                      {"status": ["created"]}, {"id": ["%03x" % self.random.randrange(4096)]}])
        return self.call("GET", "/containers/json?all=1&filters=" + quote(json.dumps(filters)))

    def list_all(self):
        return self.call("GET", "/containers/json?all=1")

    def list_objects(self):
        return self.call("GET", self.random.choice(["/images/json", "/networks", "/volumes"]))

    def info(self):
        return self.call("GET", self.random.choice(["/info", "/version", "/swarm/nodes", "/swarm/decisions"]))

    # --- streams ---

    def execute(self):
        status = self.call("POST", "/containers/%s/exec" % self.mine(),
                           {"Cmd": self.random.choice([["echo", "hello"], ["cat"], ["sleep", "1"], ["false"]]),
                            "AttachStdin": True, "AttachStdout": True})
        if status != 201:
            return status
        exec_id = json.loads(self.answer)["Id"]
        self.leave("POST", "/exec/%s/start" % exec_id, self.random.random(), {"Detach": False}, True)
        return self.call("GET", "/exec/%s/json" % exec_id)

    def attach(self):
        path = "/containers/%s/attach?stream=1&stdin=1&stdout=1" % self.mine()
        return self.leave("POST", path, self.random.random(), None, True)

    def wait(self):
        return self.leave("POST", "/containers/%s/wait?condition=next-exit" % self.mine(), self.random.random())

    def follow(self):
        return self.leave("GET", "/containers/%s/logs?stdout=1&follow=1" % self.any(), self.random.random())

    def stats(self):
        return self.leave("GET", "/containers/%s/stats" % self.any(), self.random.random())

    def listen(self):
        return self.leave("GET", "/events" + self.random.choice(["", "?filters=" + quote('{"event":["die"]}')]),
                          self.random.random())

    def history(self):
        return self.leave("GET", "/events?since=%d&until=%d" % (time.time() - 5, time.time()), 20)

    # --- what else there is ---

    def volume(self):
        if len(self.volumes) > 3:
            return self.call("DELETE", "/volumes/" + self.volumes.pop(0))
        name = "%s/v%s" % (self.node(), self.name())
        status = self.call("POST", "/volumes/create", {"Name": name})
        if status == 201:
            self.volumes.append(name)
        return status

    def network(self):
        if len(self.networks) > 3:
            return self.call("DELETE", "/networks/" + self.networks.pop(0))
        name = "%s/n%s" % (self.node(), self.name())
        status = self.call("POST", "/networks/create", {"Name": name, "Driver": "bridge"})
        if status == 201:
            self.networks.append(json.loads(self.answer)["Id"])
        return status

    def image(self):
        return self.call("GET", "/images/%s/json" % self.random.choice(["busybox", "not-there"]))

    # --- bad manners ---

    def half(self):
        return stay(send(self.manager, "POST", "/containers/create HTTP/1.1\r\nContent-Length: 1000\r\nX:", {"Image": "b"}),
                    self.random.random())

    def garbage(self):
        return stay(send(self.manager, "GET", "/ HTTP/1.1\r\n\x01\x02: x"), self.random.random())
