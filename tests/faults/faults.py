#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random faults, and whether clients are kept what they were promised. Each round clients make, start, stop, rename and
remove containers through any manager, while engines end, fall silent, are cut off, lose power, come back, at other
addresses, too, or are announced twice; managers are killed, at times while they move containers, and stopped; and so is
the store. Then all is healed, and what the engines (tests/kit/fake_engines.md) have is compared with what clients were
told: one copy of each container with a policy, none without one touched, none back that was removed, no name twice, no
more memory taken than there is, and every manager's list the engines' own. The same seed does the same things in the
same order; what happens in between is up to the machine. As root, in namespaces of the caller's own.

faults.py --bin DIR --work DIR --control HOST:PORT --discovery file|etcd [--managers N] [--seed N] [--rounds N] [--verbose]
"""
import argparse
import contextlib
import itertools
import json
import random
import time

from cast import ENGINES, MEMORY_MIB, Agents, Engines, File, Gone, Manager, Store, wait
from clients import Client

CLIENTS = 2
OVERCOMMIT = 1.05  # as the manager has it
STEPS = ["claimed", "created", "moved", "started", "removing", "removed"]


class World:
    def __init__(self, options):
        self.options, self.random = options, None
        self.store = Store(options.work) if options.discovery == "etcd" else None
        self.discovery = Agents(options.work, options.bin) if self.store else File(options.work)
        self.engines = Engines(options.control, self.discovery)
        self.managers = [Manager(number, options.work, self.command(number)) for number in range(1, options.managers + 1)]
        self.promises = [[] for _ in range(CLIENTS)]
        self.free_names = [set() for _ in range(CLIENTS)]
        self.removed = set()
        self.counts = [0] * CLIENTS
        self.clients, self.log = [], []

    def command(self, number):
        options = self.options
        address = "10.9.0.%d:3375" % number
        shared = ["--replication", "--replication-ttl", "4s", "--advertise", address] if options.managers > 1 else []
        return ([options.bin + "/swarm", "--debug", "manage", "-H", "tcp://" + address, "--state-dir", "%s/state%d" % (options.work, number),
                 "--reschedule-grace", "1s", "--engine-silence-timeout", "3s", "--engine-flap-limit", "0", "--heartbeat", "1s",
                 "--engine-refresh-min-interval", "2s", "--engine-refresh-max-interval", "4s"] + shared + [self.discovery.url])

    def say(self, *words):
        now = time.time()
        self.log.append("%s.%03d %s" % (time.strftime("%H:%M:%S", time.gmtime(now)), now % 1 * 1000, " ".join(str(word) for word in words)))
        if self.options.verbose:
            print("  " + self.log[-1], flush=True)

    def next_number(self, client):
        self.counts[client] += 1
        return self.counts[client] * CLIENTS + client

    def begin(self):
        if self.store:
            self.store.begin()
        self.engines.begin()
        for manager in self.managers:
            manager.begin()
        for manager in self.managers:
            wait("manager %d knows all engines" % manager.number, lambda: manager.healthy() == ENGINES)

    def end(self):
        for program in self.managers + ([self.store] + list(self.discovery.agents.values()) if self.store else []):
            program.kill()

    # --- engines ---

    def lose(self):
        here = [engine for engine in range(ENGINES) if engine not in self.engines.faults]
        # With more than half of them lost the manager holds its moves.
        if len(here) > ENGINES - self.random.choice([2, 2, 2, 3]):
            engine, how = self.random.choice(here), self.random.choice(["stop", "silent", "cut", "halt"])
            agent_ends = self.store and (how == "halt" or self.random.random() < 0.3)
            self.say(how, engine, "with its agent" if agent_ends else "")
            if agent_ends:
                self.discovery.withdraw(self.engines.addresses[engine] + ":2375")
            if how == "halt":
                self.halt(engine)
            else:
                self.engines.lose(engine, how)
            self.pause()

    def halt(self, engine):
        """What ran there and has no policy does not run when it is back; what has one does, where a manager has seen the
        engine go."""
        with self.clients_at_rest():
            self.engines.order(engine, "none")
            there = {one[0] for one in self.engines.truth([engine])}
            self.engines.lose(engine, "halt")
            seen = self.is_seen_lost(engine)
            self.say("its end is seen" if seen else "nobody sees its end")
            for promise in itertools.chain(*self.promises):
                if promise.number in there and promise.runs and not (promise.policy and seen):
                    promise.runs = None

    @contextlib.contextmanager
    def clients_at_rest(self):
        with contextlib.ExitStack() as stack:
            for client in self.clients:
                while not client.busy.acquire(timeout=0.2):
                    self.revive()
                stack.callback(client.busy.release)
            yield

    def is_seen_lost(self, engine):
        address = self.engines.addresses[engine] + ":2375"
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for manager in self.managers:
                try:
                    if not manager.usable():
                        continue
                    nodes = json.loads(manager.ask("GET", "/swarm/nodes", timeout=5)[1])
                    if not any(node["address"] == address and node["state"] == "healthy" for node in nodes):
                        return True
                except Gone:
                    pass
            time.sleep(0.1)
        return False

    def bring_back(self):
        if self.engines.faults:
            engine = self.random.choice(sorted(self.engines.faults))
            how = self.engines.faults[engine]
            if how != "silent" and engine not in self.engines.doubles and self.random.random() < 0.25:
                self.engines.renumber(engine)
            self.engines.bring_back(engine)
            self.say("back from", how, engine, self.engines.addresses[engine])

    def double(self):
        free = [engine for engine in range(ENGINES) if engine not in self.engines.doubles]
        if len(free) > ENGINES - 2:
            engine = self.random.choice(free)
            self.say("announced twice", engine)
            self.engines.double(engine)

    def spoil(self):
        """Things are done, and the answers are lost."""
        here = [engine for engine in range(ENGINES) if engine not in self.engines.faults]
        engine, count = self.random.choice(here), self.random.randint(1, 3)
        self.say("answers are cut", engine, count)
        self.engines.order(engine, "cut", path="/containers", count=count)

    def lapse(self):
        """The agent ends, and its engine does not."""
        if self.store:
            engine = self.random.randrange(ENGINES)
            self.say("the agent ends", engine)
            self.discovery.withdraw(self.engines.addresses[engine] + ":2375")

    # --- managers and the store ---

    def restart(self):
        # At times it will kill itself, at that step of the next move or removal.
        manager, kill_at = self.random.choice(self.managers), self.random.choice([""] + STEPS)
        self.say("kill manager", manager.number, "(the next one kills itself when it has %s)" % kill_at if kill_at else "")
        manager.kill()
        time.sleep(self.random.choice([0, 0, 0.5, 3]))
        manager.begin(kill_at)

    def freeze(self):
        manager = self.random.choice(self.managers)
        if manager.usable():
            self.say("stop manager", manager.number)
            manager.freeze()
            time.sleep(self.random.uniform(0.5, 8))
            manager.thaw()
            self.say("manager", manager.number, "goes on")

    def strike_store(self):
        """No manager ends meanwhile: while nothing can be written it promises only what it lives to write."""
        how = self.random.choice(["kill", "freeze"])
        seconds = self.random.choice([0, 1, 7])  # at times longer than an agent's entry lasts
        if not self.store or any(manager.armed for manager in self.managers):
            return
        self.say(how, "the store")
        getattr(self.store, how)()
        self.random.choice([self.pause, self.lose])()
        time.sleep(seconds)
        self.mend_store()

    def mend_store(self):
        if self.store and (self.store.frozen or not self.store.runs()):
            self.store.thaw()
            if not self.store.runs():
                self.store.begin()
            self.say("the store is back")
            for manager in self.managers:
                wait("manager %d writes its record" % manager.number, lambda: self.writes(manager))
            self.say("all is written")

    @staticmethod
    def writes(manager):
        lines = manager.lines()
        return lines and not any(line.startswith("Record not written") for line in lines)

    def revive(self):
        for manager in self.managers:
            if not manager.frozen and manager.revive():
                self.say("manager", manager.number, "had killed itself, and is started again")

    def pause(self):
        time.sleep(self.random.random() * (6 if self.engines.faults else 0.5))

    def heal(self):
        self.mend_store()
        for manager in self.managers:
            manager.thaw()
        while self.engines.faults:
            self.bring_back()
        for engine in sorted(self.engines.doubles):
            self.engines.single(engine)
        for engine in range(ENGINES):
            self.engines.order(engine, "none")
            self.discovery.announce(self.engines.addresses[engine] + ":2375")
        self.say("all is healed")

    def round(self, number):
        self.log = []
        self.random = random.Random("%d/%d" % (self.options.seed, number))
        self.clients = [Client(client, self, random.Random("%d/%d/%d" % (self.options.seed, number, client))) for client in range(CLIENTS)]
        for client in self.clients:
            client.start()
        steps = ([self.lose] * 5 + [self.bring_back] * 3 + [self.restart] * 3 + [self.freeze, self.strike_store] * 2 +
                 [self.double, self.spoil, self.lapse] + [self.pause] * 4)
        for _ in range(self.random.randint(6, 14)):
            self.revive()
            self.random.choice(steps)()
        self.heal()
        if self.random.random() < 0.5:
            self.restart()
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            while client.is_alive():
                client.join(0.2)
                self.revive()
            assert not client.error, "client %d: %r" % (client.number, client.error)
        self.compare()

    # --- what is to be ---

    def settled(self):
        self.revive()
        for manager in self.managers:
            lines = manager.lines()
            if sum(line.endswith("Status=Healthy") for line in lines) != ENGINES or any("waiting" in line for line in lines):
                return False
        return not self.breaches()

    def breaches(self):
        truth = self.engines.truth()
        found = list(self.broken_promises(truth))
        found += ["%s was removed, and is there" % (one,) for one in truth if one[0] in self.removed]
        names = [one[3] for one in truth]
        found += ["the name %s is there %d times" % (name, names.count(name)) for name in sorted(set(names)) if names.count(name) > 1]
        memory = {promise.number: promise.memory_mib for promise in itertools.chain(*self.promises)}
        for engine in range(ENGINES):
            taken = sum(memory.get(one[0], 0) for one in truth if one[1] == engine)
            if taken > MEMORY_MIB * OVERCOMMIT:
                found.append("engine %d is overfull: %d MiB" % (engine, taken))
        there = sorted((one[2], one[3], one[4]) for one in truth)
        for manager in self.managers:
            listed = json.loads(manager.ask("GET", "/v1.41/containers/json?all=1")[1])
            if sorted((one["Id"], one["Names"][0].split("/")[-1], one["State"] == "running") for one in listed) != there:
                found.append("the list of manager %d is another one than the engines'" % manager.number)
        return found

    def broken_promises(self, truth):
        for promise in itertools.chain(*self.promises):
            copies = [one for one in truth if one[0] == promise.number]
            if len(copies) > 1 or (not copies and promise.sure):
                yield "%d (%s) is there %d times: %s" % (promise.number, "/".join(promise.names), len(copies), copies)
            for _, _, identity, name, runs in copies:
                if promise.runs is not None and runs != promise.runs:
                    yield "%s is to be %s" % (copies, "running" if promise.runs else "stopped")
                if name not in promise.names:
                    yield "%s is to be called %s" % (copies, promise.names)
                if not promise.policy and promise.id not in (None, identity):
                    yield "%s has no policy, and was made anew: it was %s" % (copies, promise.id)

    def compare(self):
        try:
            wait("everything is as promised", self.settled)
        except AssertionError as error:
            raise AssertionError("%s: %s" % (error, "; ".join(self.breaches()) or "moves are waiting still")) from error
        for client, promises in enumerate(self.promises):
            self.promises[client][:] = self.what_counts(promises)

    def what_counts(self, promises):
        """Whatever became of those that nobody was sure of counts from here on."""
        there = {one[0]: one for one in self.engines.truth()}
        for promise in promises:
            if promise.number in there:
                _, _, promise.id, name, promise.runs = there[promise.number]
                promise.names, promise.sure = {name}, True
                yield promise
            elif promise.id is None:  # its create may be done yet
                yield promise
            else:
                self.removed.add(promise.number)

    def tell(self, number, error):
        print("FAIL round %d of seed %d: %s" % (number, self.options.seed, error))
        print("\n".join("  " + line for line in self.log))
        for manager in self.managers:
            try:
                print("  manager %d: %s" % (manager.number, json.dumps(manager.lines())))
                print("  %s" % manager.ask("GET", "/swarm/reschedule", timeout=10)[1].decode())
            except Gone as gone:
                print("  manager %d does not answer: %s" % (manager.number, gone))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for word in ("bin", "work", "control"):
        parser.add_argument("--" + word, required=True)
    parser.add_argument("--discovery", choices=["file", "etcd"], default="file")
    for word, usual in (("managers", 1), ("seed", 1), ("rounds", 3)):
        parser.add_argument("--" + word, type=int, default=usual)
    parser.add_argument("--verbose", action="store_true", help="tell what happens while it does")
    world = World(parser.parse_args())
    options, what = world.options, "%d managers, %s, seed" % (world.options.managers, world.options.discovery)
    print("%s %d, %d rounds" % (what, options.seed, options.rounds), flush=True)
    number = 0
    try:
        world.begin()
        for number in range(options.rounds):
            world.round(number)
        print("ok   %s %d: %d rounds, all as promised" % (what, options.seed, options.rounds))
    except (AssertionError, Gone) as error:
        world.tell(number, error)
    world.end()
    print("end", flush=True)


main()
