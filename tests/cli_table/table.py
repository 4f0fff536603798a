# SPDX-License-Identifier: Apache-2.0
"""Runs the docker CLI's commands and flags against one engine and against a pool, and tells whether they do the same.

table.py --direct URL --pool URL --engine URL… --images TAR --folder DIR [--part] [--first] [--only REGEX] [--write] CLI…

Every case is run with every CLI, against the one engine and against the pool, and its answers are compared. Every command and
flag of a CLI's --help must be in some case, or in EXCLUDED. --part runs every case with one of the CLIs, --first
only the first of each command that needs no engine to itself, --only those whose "COMMAND WHAT" matches. --write keeps the
outcomes in results.md."""
import argparse
import collections
import concurrent.futures
import difflib
import itertools
import os
import re
import sys
import threading

from case import Case, judge, normal, run
from cli_help import Cli
from engines import remove_containers, restore
from excluded import EXCLUDED
from results import Results

WORKERS = 6


class Table:
    def __init__(self, options):
        self.options = options
        self.clis = [Cli(path) for path in options.clis]
        self.results = {}  # (case, cli version) -> outcome
        self.calls = collections.defaultdict(list)  # cli version -> argument lists
        self.passed = self.failed = 0
        self.printing = threading.Lock()

    def ok(self, what):
        self.passed += 1
        print("ok  ", what, flush=True)

    def no(self, what):
        self.failed += 1
        print("FAIL", what, flush=True)

    def cases(self):
        """Those that are to be run."""
        commands = set()
        for a_case in Case.every:
            if self.options.only and not re.search(self.options.only, f"{a_case.command} {a_case.what}"):
                continue
            if self.options.first and (a_case.alone or a_case.command in commands):
                continue
            commands.add(a_case.command)
            yield a_case

    def jobs(self):
        """(case, cli) in order."""
        for a_case in self.cases():
            clis = [cli for cli in self.clis if a_case.for_cli(cli.version)]
            if self.options.part:
                clis = clis[a_case.number % len(clis):][:1] if clis else []
            for cli in clis:
                yield a_case, cli

    def run_one(self, a_case, cli):
        name = f"c{a_case.number:03}{'abcdef'[self.clis.index(cli)]}"
        folder = f"{self.options.folder}/{name}"
        environment = {"registry": "127.0.0.1:5000", "index": "127.0.0.1:5001",
                       "net": f"10.{70 + self.clis.index(cli)}.{a_case.number % 250}",
                       "net6": f"fd00:{70 + self.clis.index(cli)}:{a_case.number}"}
        answers = []
        for target, host, engines in (("direct", self.options.direct, [self.options.direct]),
                                      ("pool", self.options.pool, self.options.engine)):
            answers.append(run(a_case, cli, host, f"{folder}/{target}", name, environment))
            for engine in engines:
                remove_containers(engine, name)
        outcome, why = judge(a_case, *answers)
        with self.printing:
            self.results[a_case, cli.version] = outcome
            self.calls[cli.version] += answers[0].calls + answers[1].calls
            what = f"{cli.version}: {a_case.command}: {a_case.what}"
            if outcome != "lost":
                self.ok(what + ("" if outcome == "works" else f" ({outcome}: {a_case.reason(outcome)})"))
                return
            self.no(f"{what} ({why}; {folder})")
            texts = [normal(answer.text(), a_case.lines, a_case.without, pool).splitlines()
                     for answer, pool in zip(answers, (False, True))]
            for line in list(difflib.unified_diff(*texts, "one engine", "the pool", lineterm="", n=2))[:40] or texts[0][:40]:
                print("    ", line[:300])

    def run_all(self):
        jobs = list(self.jobs())
        self.restore()
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(lambda job: self.run_one(*job), [job for job in jobs if not job[0].alone]))
        for a_case, cli in jobs:
            if a_case.alone:
                self.restore()
                self.run_one(a_case, cli)

    def restore(self):
        for engine in (self.options.direct, *self.options.engine):
            restore(engine, ("busybox:latest", "httpd:latest"), self.options.images)

    def check_coverage(self, cli):
        """Every command and every flag that the CLI's help shows is in a case, or excluded."""
        cli.read_help(self.options.direct)
        used = set()
        for arguments in self.calls[cli.version]:
            for name, flag in cli.used(arguments):
                used |= {(name, flag), (cli.full_name(name), flag)}
        for name in cli.leaves():
            full = cli.full_name(name)
            wanted = [""] + (list(cli.commands[name].flags) if name == full else [])
            missing = [flag for flag in wanted if (name, flag) not in used and not self.excluded(full, flag)]
            if not any(a_case.command == full and a_case.for_cli(cli.version) for a_case in Case.every):
                self.no(f"{cli.version}: {name}: no case is of {full}")
            elif missing:
                self.no(f"{cli.version}: {name}: no case has {' '.join(flag or 'the command' for flag in missing)}")
            else:
                self.ok(f"{cli.version}: {name}: all of its help is in cases")
        missing = [flag for flag in cli.commands[""].flags if ("", flag) not in used]
        (self.no if missing else self.ok)(f"{cli.version}: flags before the command are in cases {' '.join(missing)}")

    def write(self):
        """Keep the outcomes, and those of cases that were not run this time; what is lost has none."""
        results = Results.read()
        results.add({run: "no result" if outcome == "lost" else outcome for run, outcome in self.results.items()})
        results.write()

    @staticmethod
    def excluded(name, flag):
        return bool(flag) and any(re.fullmatch(pattern, f"{name} {flag}") for pattern, _ in EXCLUDED)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--direct", required=True)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--engine", action="append", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--part", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("clis", nargs="+")
    table = Table(parser.parse_args())
    table.run_all()
    options = table.options
    if not options.only and not options.part and not options.first:
        for cli in table.clis:
            table.check_coverage(cli)
    if options.write:
        table.write()
    count = collections.Counter((version, outcome) for (_, version), outcome in table.results.items())
    for version, outcomes in itertools.groupby(sorted(count), lambda key: key[0]):
        print(f"{version}:", ", ".join(f"{count[version, outcome]} {outcome}" for _, outcome in outcomes))
    print(f"{table.passed} passed, {table.failed} failed")
    return table.failed != 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
