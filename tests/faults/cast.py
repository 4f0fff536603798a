# SPDX-License-Identifier: Apache-2.0
"""Who takes part: managers, a store, agents and engines, and what can happen to each of them."""
import http.client
import json
import os
import signal
import subprocess
import time

ENGINES = 5
MEMORY_MIB = 4096  # of each engine
LABEL = "faults.number"  # of each container that a client makes
PATIENCE_S = 120


class Gone(Exception):
    """No answer: nobody knows what was done."""


class Refused(Gone):
    """Nobody listens: nothing was done."""


def ask(address, method, path, body=None, timeout=60):
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise Refused(str(error)) from error
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Gone(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def wait(what, holds):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if holds():
                return
        except Gone:
            pass
        time.sleep(0.1)
    raise AssertionError("not within %d s: %s" % (PATIENCE_S, what))


class Program:
    def __init__(self, log, command):
        self.log, self.command, self.process, self.frozen = log, command, None, False

    def start(self, **environment):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=dict(os.environ, **environment))

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.runs():
            self.process.kill()
            self.process.wait()
        self.frozen = False

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            self.process.send_signal(signal.SIGCONT)
        self.frozen = False


class Manager(Program):
    """One that kills itself when it comes to a certain step is started again whenever somebody looks."""

    def __init__(self, number, work, command):
        self.number, self.address = number, "10.9.0.%d:3375" % number
        self.armed = False
        super().__init__("%s/manage%d.log" % (work, number), command)

    def begin(self, kill_at=""):
        self.armed = bool(kill_at)
        self.start(SWARM_TEST_KILL_AT=kill_at)
        wait("manager %d answers" % self.number, self.answers)

    def answers(self):
        self.revive()  # it may have come to that step before it answered anybody
        return self.ask("GET", "/_ping", timeout=5)[0] == 200

    def revive(self):
        """Whether it had to be started again."""
        if self.process.poll() is None:
            return False
        assert self.process.returncode == -signal.SIGKILL, \
            "manager %d ended with status %d" % (self.number, self.process.returncode)
        self.armed = False
        self.start(SWARM_TEST_KILL_AT="")
        return True

    def usable(self):
        return self.runs() and not self.frozen

    def ask(self, method, path, body=None, timeout=60):
        return ask(self.address, method, path, body, timeout)

    def lines(self):
        """What `docker info` tells, NAME=VALUE; none while it does not answer."""
        status, answer = self.ask("GET", "/info", timeout=10)
        return [line[0].strip() + "=" + line[1] for line in json.loads(answer)["SystemStatus"]] if status == 200 else []

    def healthy(self):
        return sum(line.endswith("Status=Healthy") for line in self.lines())


class Store(Program):
    """etcd on 10.9.0.1:2379."""

    def __init__(self, work):
        super().__init__(work + "/etcd.log", [
            "etcd", "--data-dir", work + "/etcd.data", "--log-level", "error",
            "--listen-client-urls", "http://10.9.0.1:2379", "--advertise-client-urls", "http://10.9.0.1:2379",
            "--listen-peer-urls", "http://10.9.0.1:2380", "--initial-advertise-peer-urls", "http://10.9.0.1:2380",
            "--initial-cluster", "default=http://10.9.0.1:2380"])

    def begin(self):
        self.start()
        wait("the store answers", lambda: ask("10.9.0.1:2379", "GET", "/health", timeout=5)[0] == 200)


class File:
    """Discovery by a file: a line an address."""

    def __init__(self, work):
        self.path, self.addresses = work + "/pool", set()
        self.url = "file://" + self.path

    def announce(self, address):
        self.addresses.add(address)
        self.write()

    def withdraw(self, address):
        self.addresses.discard(address)
        self.write()

    def write(self):
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.writelines(address + "\n" for address in sorted(self.addresses))
        os.rename(self.path + ".new", self.path)


class Agents:
    """Discovery by the store: an agent an address. One that is withdrawn is killed, and its entry lapses."""

    def __init__(self, work, programs):
        self.work, self.programs, self.agents = work, programs, {}
        self.url = "etcd://10.9.0.1:2379/faults"

    def announce(self, address):
        agent = self.agents.setdefault(address, Program(self.work + "/agents.log", [
            self.programs + "/swarm", "join", "--heartbeat", "1s", "--ttl", "5s", "--advertise", address, self.url]))
        if not agent.runs():
            agent.start()

    def withdraw(self, address):
        self.agents[address].kill()


def filter_packets(*words):
    subprocess.run(("iptables", "-w") + words, check=True)


class Engines:
    """Engine N listens on 127.77.0.N+1, which nobody is told of. It is announced at an address that leads there, and can
    have another one."""

    def __init__(self, control, discovery):
        self.control, self.discovery = control, discovery
        self.addresses, self.doubles, self.faults = [None] * ENGINES, {}, {}
        self.cuts = [0] * ENGINES  # each gives its number to the connections that are made after it

    @staticmethod
    def own(engine):
        return "127.77.0.%d" % (engine + 1)

    def begin(self):
        for engine in range(ENGINES):
            self.number_connections("-A", engine)
            self.settle(engine, "127.78.0.%d" % (engine + 1))

    def other(self, engine):
        net = "79" if self.addresses[engine].startswith("127.78") else "78"
        return "127.%s.0.%d" % (net, engine + 1)

    def lead(self, action, engine, address):
        filter_packets("-t", "nat", action, "OUTPUT", "-d", address, "-p", "tcp", "-j", "DNAT", "--to-destination", self.own(engine))

    def settle(self, engine, address):
        self.addresses[engine] = address
        self.lead("-A", engine, address)
        self.discovery.announce(address + ":2375")

    def order(self, engine, fault, **more):
        status, answer = ask(self.control, "POST", "/engines/%d/fault" % engine, dict(fault=fault, **more))
        assert status < 300, answer

    def number_connections(self, action, engine):
        filter_packets("-t", "mangle", action, "INPUT", "-d", self.own(engine), "-p", "tcp", "-m", "state", "--state", "NEW",
                       "-j", "CONNMARK", "--set-mark", str(engine * 1000 + self.cuts[engine]))

    def cut_off(self, engine, action):
        filter_packets(action, "INPUT", "-d", self.own(engine), "-j", "DROP")
        filter_packets(action, "OUTPUT", "-s", self.own(engine), "-j", "DROP")

    def join(self, engine):
        """Whatever was sent before is lost: else it arrived minutes later, when all is compared and settled."""
        mark = str(engine * 1000 + self.cuts[engine])
        self.number_connections("-D", engine)
        self.cuts[engine] += 1
        self.number_connections("-A", engine)
        filter_packets("-I", "INPUT", "-d", self.own(engine), "-p", "tcp", "-m", "connmark", "--mark", mark,
                       "-j", "REJECT", "--reject-with", "tcp-reset")
        self.cut_off(engine, "-D")

    def lose(self, engine, how):
        """stop: it ends, and its containers run on; halt: its host loses power; silent: it takes requests, and answers them
        when it is back; cut: nothing gets there, or back."""
        self.faults[engine] = how
        if how == "cut":
            self.cut_off(engine, "-I")
        else:
            self.order(engine, how)

    def bring_back(self, engine):
        if self.faults.pop(engine) == "cut":
            self.join(engine)
        else:
            self.order(engine, "none")
        self.discovery.announce(self.addresses[engine] + ":2375")

    def renumber(self, engine):
        """While it is away: it will be back at its other address."""
        old, new = self.addresses[engine], self.other(engine)
        self.lead("-D", engine, old)
        self.discovery.withdraw(old + ":2375")
        self.settle(engine, new)

    def double(self, engine):
        self.doubles[engine] = self.other(engine)
        self.lead("-A", engine, self.doubles[engine])
        self.discovery.announce(self.doubles[engine] + ":2375")

    def single(self, engine):
        address = self.doubles.pop(engine)
        self.lead("-D", engine, address)
        self.discovery.withdraw(address + ":2375")

    def truth(self, engines=range(ENGINES)):
        """All containers there are: (number, engine, id, name, whether it runs), from the engines themselves."""
        found = []
        for engine in engines:
            _, answer = ask(self.own(engine) + ":2375", "GET", "/v1.41/containers/json?all=1")
            for one in json.loads(answer):
                found.append((int(one["Labels"][LABEL]), engine, one["Id"], one["Names"][0].lstrip("/"), one["State"] == "running"))
        return found
