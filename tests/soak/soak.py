#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A manager under churn for long: it takes no more than in the beginning, and shows what there is.

soak.py [options] SECONDS MANAGER CONTROL START: clients (clients.py) make, use, list and remove containers, listen to events
and leave in the middle, while engines (tests/kit/fake_engines.md) stop, refuse, fall silent, answer slowly, badly or
not to the end, and come back. At times all is healed and at rest; then the manager's lists must be the engines' own, entry
by entry (compare.py), its descriptors and threads those of the beginning; and over the second half of these times its heap
must not have grown. START is a command that starts a manager. What happens follows from the seed; what meets what is up to
the machine. A line a sample goes to SAMPLES."""
import argparse
import collections
import json
import os
import random
import resource
import select
import signal
import subprocess
import threading
import time

import compare
from clients import Client
from wire import Gone, Stuck, ask, ask_json, send

PATIENCE_S = 300  # until all is at rest
SAMPLE_S = 5
FAULT_MEAN_S = 12  # how long one lasts
# What grows with what is there, or with chance: not a leak.
SPARE_DESCRIPTORS, SPARE_THREADS, SPARE_HEAP = 4, 4, 0.01

FAULTS = [  # weight, what, whether it is over at once
    (4, {"fault": "stop"}, False), (3, {"fault": "refuse"}, False), (4, {"fault": "silent"}, False),
    (2, {"fault": "slow", "ms": 700}, False), (2, {"fault": "cut"}, False), (1, {"fault": "garbage"}, False),
    (2, {"fault": "status", "status": 500, "path": "/containers"}, False),
    (1, {"fault": "status", "status": 507, "path": "/containers/create"}, False),
    (1, {"fault": "clock", "ms": -3600000}, False), (1, {"fault": "clock", "ms": 60000}, False),
    (3, {"fault": "cut-events"}, True), (2, {"fault": "burst", "count": 100}, True)]


class Listeners(threading.Thread):
    """Event streams that are read to the end, and one that is not read at all."""

    def __init__(self, manager, count):
        super().__init__(daemon=True)
        self.streams = [send(manager, "GET", "/v1.41/events") for _ in range(count)]
        self.deaf = send(manager, "GET", "/v1.41/events")
        self.bytes, self.ends = 0, False

    def run(self):
        poll = select.poll()
        by_descriptor = {stream.fileno(): stream for stream in self.streams}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        while not self.ends:
            for descriptor, _ in poll.poll(200):
                try:
                    data = by_descriptor[descriptor].recv(1 << 18)
                except OSError:  # so does the manager's end look like
                    data = b""
                self.bytes += len(data)
                if not data:
                    poll.unregister(descriptor)
            time.sleep(0.02)

    def close(self):
        self.ends = True
        self.join()
        for stream in self.streams + [self.deaf]:
            stream.close()


class Soak:
    def __init__(self, options):
        self.options, self.manager, self.control = options, options.manager, options.control
        self.random = random.Random(options.seed)
        self.engines = ask_json(self.control, "/engines/all")
        self.failed, self.begin = 0, time.monotonic()
        self.rests = []  # what is taken at rest: heap, rss, descriptors, threads
        self.rest_s = 0  # how long it took until there was rest, last
        self.lasting = {}  # fault of engine -> when it ends
        self.samples = open(options.samples, "w", encoding="ascii") if options.samples else None
        self.faults, self.most = 0, {"descriptors": 0, "threads": 0, "rss": 0}
        # A stream to each, and two quarters of what is allowed for idle ones.
        self.connections_most = len(self.engines) + resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 4
        self.process = None

    def check(self, what, why=""):
        self.failed += bool(why)
        print("FAIL %s (%s)" % (what, why) if why else "ok   " + what, flush=True)

    def say(self, text):
        print("     %5d s: %s" % (time.monotonic() - self.begin, text), flush=True)

    def say_rest(self, taken):
        self.say("heap %d KiB and %d free, RSS %d KiB, %d connections to engines, %d other descriptors, %d threads, "
                 "%d containers" % tuple(taken[key] for key in [
                     "heap", "free", "rss", "connections", "others", "threads", "containers"]))

    # --- the manager ---

    def start(self):
        self.process = subprocess.Popen(self.options.start, shell=True, start_new_session=True)
        end = time.monotonic() + PATIENCE_S
        while ask_quietly(self.manager) != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("the manager does not start: status %s" % self.process.poll())
            time.sleep(0.1)

    def stop(self):
        """How it ends that it is told to."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return "it has not ended after %d s" % PATIENCE_S
        return "with status %d" % status if status else ""

    # --- what the manager takes ---

    def metric(self, page, name):
        return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(name)), 0.0)

    def sample(self):
        """heap (in use), free (of it) and rss in KiB"""
        folder = "/proc/%d/" % self.process.pid
        with open(folder + "status", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        with open(folder + "stat", encoding="ascii") as file:
            ticks = file.read().rsplit(")", 1)[1].split()
        taken = {"rss": int(fields["VmRSS"].split()[0]), "threads": int(fields["Threads"]),
                 "descriptors": len(os.listdir(folder + "fd")),
                 "cpu": (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")}
        page = ask(self.manager, "GET", "/metrics")[1].decode()
        taken["heap"] = self.metric(page, 'swarm_heap_bytes{kind="used"}') / 1024
        taken["free"] = self.metric(page, 'swarm_heap_bytes{kind="free"}') / 1024
        taken["waiting"] = sum(self.metric(page, 'swarm_reschedules_waiting{kind="%s"}' % kind) for kind in ("move", "removal"))
        taken["healthy"] = int(self.metric(page, 'swarm_nodes{state="healthy"}'))
        taken["containers"] = sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith("swarm_containers{"))
        # Idle connections to engines are kept, up to a limit that the manager has for all of them; all else is not.
        taken["connections"] = sum(engine["connections"] for engine in ask_json(self.control, "/engines/all"))
        taken["others"] = taken["descriptors"] - taken["connections"]
        for key, most in self.most.items():
            self.most[key] = max(most, taken[key])
        if self.samples:
            print(round(time.monotonic() - self.begin, 1), json.dumps(taken), file=self.samples, flush=True)
        return taken

    # --- engines ---

    def order(self, engine, what):
        status, answer = ask(self.control, "POST", "/engines/%s/fault" % engine, what)
        if status >= 300:
            raise AssertionError("%s: %s" % (what, answer))

    def break_one(self):
        if len(self.lasting) >= len(self.engines) // 5:  # with more the manager holds its moves
            return
        engine = self.random.randrange(len(self.engines))
        _, what, once = self.random.choices(FAULTS, [weight for weight, _, _ in FAULTS])[0]
        lasts = self.random.expovariate(1 / FAULT_MEAN_S)
        if engine in self.lasting:
            return
        self.faults += 1
        self.order(engine, what)
        if what["fault"] == "refuse":
            self.order(engine, {"fault": "cut-events"})
        if not once:
            self.lasting[engine] = time.monotonic() + lasts

    def mend(self):
        for engine in [engine for engine, end in self.lasting.items() if end <= time.monotonic()]:
            self.order(engine, {"fault": "none"})
            del self.lasting[engine]

    def heal(self):
        self.lasting.clear()
        self.order("all", {"fault": "none"})
        self.order("all", {"fault": "churn", "rate": 0})

    # --- a round ---

    def everywhere(self, number):
        """What goes to all engines."""
        if number % 2:
            ask(self.manager, "POST", "/v1.41/images/create?fromImage=soak-%d&tag=latest" % (number % 8))
        else:
            ask(self.manager, "POST", "/v1.41/volumes/create", {"Name": "everywhere-%d" % number})
            ask(self.manager, "DELETE", "/v1.41/volumes/everywhere-%d" % number)

    def churn(self, clients, seconds):
        end, sampled, broken, done = time.monotonic() + seconds, 0, time.monotonic(), time.monotonic()
        number = 0
        listeners = Listeners(self.manager, 20)
        listeners.start()
        self.order("all", {"fault": "churn", "rate": self.options.churn / len(self.engines)})
        for client in clients:
            client.goes.set()
        while time.monotonic() < end:
            now = time.monotonic()
            if self.process.poll() is not None:
                raise AssertionError("the manager ended with status %d" % self.process.returncode)
            if now >= broken:
                broken += self.random.expovariate(self.options.faults)
                self.break_one()
            if now >= done:
                done += 30
                number += 1
                threading.Thread(target=self.everywhere_quietly, args=(number,), daemon=True).start()
            if now - sampled >= SAMPLE_S:
                sampled = now
                self.sample()
            self.mend()
            time.sleep(0.05)
        for client in clients:
            client.goes.clear()
        for client in clients:
            if not client.rests.wait(2 * PATIENCE_S):
                raise AssertionError("a client does not come to rest: %s" % client.counts)
        listeners.close()
        return listeners.bytes

    def everywhere_quietly(self, number):
        try:
            self.everywhere(number)
        except (Gone, Stuck) as error:
            self.say("to all engines: %s" % error)

    def settle(self, first=None):
        """All is there, and what it takes is what it took; returns that and how the lists differ."""
        end, why = time.monotonic() + PATIENCE_S, ["nothing was compared"]
        while True:
            taken, late = self.sample(), time.monotonic() > end
            quiet = taken["healthy"] == len(self.engines) and not taken["waiting"]
            spent = first and (taken["others"] > first["others"] + SPARE_DESCRIPTORS or
                               taken["threads"] > first["threads"] + SPARE_THREADS or
                               taken["connections"] > self.connections_most)
            if quiet and not spent or late:
                why, entries = compare.lists(self.manager, self.engines)
                if not why or late:
                    break
            time.sleep(1)
        if not quiet:
            why.append("%d of %d engines are healthy, %d moves wait" % (
                taken["healthy"], len(self.engines), taken["waiting"]))
        if spent:
            why.append("%d connections to engines of %d, %d other descriptors and %d threads, not %d and %d" % (
                taken["connections"], self.connections_most, taken["others"], taken["threads"], first["others"],
                first["threads"]))
        return self.sample(), entries, why

    def round(self, number, clients, share, end):
        cpu, begin = self.rests[-1]["cpu"], time.monotonic()
        heard = self.churn(clients, max(share / 2, end - begin - self.rest_s))
        cpu = (self.sample()["cpu"] - cpu) / (time.monotonic() - begin)
        self.heal()
        healed = time.monotonic()
        taken, entries, why = self.settle(self.rests[0])
        self.rest_s = time.monotonic() - healed
        self.rests.append(taken)
        self.say_rest(taken)
        self.say("%d faults so far, %.1f MB of events, %.0f %% CPU, at rest after %d s" % (
            self.faults, heard / 1e6, cpu * 100, self.rest_s))
        self.check("round %d: %d entries are the engines' own, descriptors and threads those of the beginning" % (number, entries),
                   "; ".join(why))

    # --- growth ---

    def growth(self, key):
        """Of the second half: a line through what was taken at rest, as a share."""
        values = [taken[key] for taken in self.rests[1:]]
        values = values[len(values) // 2:]
        count = len(values)
        middle, mean = (count - 1) / 2, sum(values) / count
        slope = sum((i - middle) * (value - mean) for i, value in enumerate(values)) / max(
            sum((i - middle) ** 2 for i in range(count)), 1)
        return slope * (count - 1) / mean if mean else 0

    def check_growth(self):
        heap, rss, held = self.growth("heap"), self.growth("rss"), self.growth("connections")
        self.say("in the second half: heap %+.2f %%, RSS %+.2f %%, connections %+.2f %%; at most %d KiB, %d descriptors, %d threads" % (
            heap * 100, rss * 100, held * 100, self.most["rss"], self.most["descriptors"], self.most["threads"]))
        if self.options.memory:
            self.check("memory in use does not grow", "" if heap <= SPARE_HEAP else "by %.2f %%" % (heap * 100))
            self.check("resident memory does not grow", "" if rss <= 5 * SPARE_HEAP else "by %.2f %%" % (rss * 100))

    # --- all of it ---

    def clients(self):
        count, engines = self.options.clients, len(self.engines)
        return [Client(i, self.options.seed, self.manager, engines, self.options.rate / count, max(3, engines // count))
                for i in range(count)]

    def say_operations(self, clients):
        counts = sum((client.counts for client in clients), collections.Counter())
        self.say("%d operations: %s" % (sum(counts.values()), ", ".join(
            "%s %s: %d" % (what, status, count) for (what, status), count in sorted(counts.items(), key=str))))

    def run(self):
        options = self.options
        number = max(2, min(12, options.seconds // 60))
        clients = self.clients()
        self.say("seed %d: %d s over %d engines, %g operations and %g faults a second" % (
            options.seed, options.seconds, len(self.engines), options.rate, options.faults))
        self.start()
        taken, entries, why = self.settle()
        self.rests.append(taken)
        self.check("before: %d entries are the engines' own" % entries, "; ".join(why))
        self.say_rest(taken)
        for client in clients:
            client.start()
        begin, share = time.monotonic(), options.seconds / number
        for i in range(number):
            self.round(i + 1, clients, share, begin + share * (i + 1))
        self.check_growth()
        self.say_operations(clients)
        self.check("every request has an answer", "; ".join([words for client in clients for words in client.stuck][:3]))
        self.check("the manager ends", self.stop())

    def run_ends(self):
        """It is told to end while everything is under way, and started again."""
        clients = self.clients()
        for client in clients:
            client.start()
        self.order("all", {"fault": "churn", "rate": self.options.churn / len(self.engines)})
        for number in range(self.options.ends):
            self.start()
            listeners = Listeners(self.manager, 20)
            listeners.start()
            for client in clients:
                client.goes.set()
            end = time.monotonic() + self.random.random() * self.options.seconds
            while time.monotonic() < end and self.process.poll() is None:
                self.break_one()
                self.mend()
                self.process.send_signal(signal.SIGHUP)
                time.sleep(0.2)
            why = self.stop()
            listeners.close()
            self.heal()
            if why:
                self.check("end %d" % (number + 1), why)
        self.check("%d ends with everything under way" % self.options.ends)
        self.say_operations(clients)


def ask_quietly(manager):
    try:
        return ask(manager, "GET", "/_ping")[0]
    except Gone:
        return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=40, help="clients' operations a second")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--faults", type=float, default=0.5, help="a second")
    parser.add_argument("--churn", type=float, default=10, help="containers that die or start again, a second")
    parser.add_argument("--memory", type=int, default=1, help="0: memory is not judged")
    parser.add_argument("--ends", type=int, default=0, help="instead: tell it to end so often, each time within SECONDS")
    parser.add_argument("--samples", help="file")
    parser.add_argument("seconds", type=int)
    parser.add_argument("manager")
    parser.add_argument("control")
    parser.add_argument("start")
    soak = Soak(parser.parse_args())
    try:
        if soak.options.ends:
            soak.run_ends()
        else:
            soak.run()
    except (AssertionError, Gone, Stuck) as error:
        soak.check("the soak", str(error))
    finally:
        if soak.process and soak.process.poll() is None:
            os.killpg(soak.process.pid, signal.SIGKILL)
    print("end", flush=True)


main()
