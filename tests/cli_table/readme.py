#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme.py check|write: README's table of docker's commands, made of the cases and of results.md.

check  says where README.md or results.md is not what the cases and their results make
write  writes both anew from the results that are there; new ones come from tests/run.sh cli-table write
       (CLI_TABLE_ONLY=REGEX: those of some cases)"""
import collections
import os
import re
import sys

from case import Case
from excluded import EXCLUDED
from results import NONE, PATH, Results, code, name

README = os.path.join(os.path.dirname(PATH), "../../README.md")
MARKS = "<!-- docker's commands: tests/cli_table/readme.py writes what follows -->\n", "<!-- end of docker's commands -->\n"


def cell(outcomes):
    """What a CLI can do of a command, of whose cases these are the outcomes."""
    done = [outcome in ("works", "differs") for outcome in outcomes if outcome != NONE]
    if not done:
        return NONE
    return "works" if all(done) else "partly" if any(done) else "no"


class Row:
    """What a command can do."""

    def __init__(self, command, cases, results):
        self.group, _, self.word = command.rpartition(" ")
        outcomes = [results.of(a_case) for a_case in cases]
        self.cells = [cell(column) for column in zip(*outcomes)]
        having = [version for version, of_cli in zip(results.versions, self.cells) if of_cli != NONE]
        flags = collections.defaultdict(list)  # (reason, CLIs) -> flags
        for a_case, of_case in zip(cases, outcomes):
            for outcome in dict.fromkeys(of_case):
                if outcome not in (NONE, "works"):
                    versions = [version for version, of_cli in zip(results.versions, of_case) if of_cli == outcome]
                    only = "" if versions == having else f" ({' and '.join(versions)})"
                    flags[a_case.reason(outcome), only].append(code(a_case.what))
        self.note = "; ".join(self.describe(command, *reason, what) for reason, what in flags.items())

    def describe(self, command, reason, only, what):
        if not {"works", "partly"} & set(self.cells):
            return code(reason + "".join(f", {why}" for pattern, why in EXCLUDED if re.fullmatch(pattern, command + " --flag")))
        return f"{', '.join(what)}{only}: {code(reason)}"


def table(results):
    """A row for all commands of a group of which there is the same to say."""
    cases = collections.defaultdict(list)
    for a_case in Case.every:
        cases[a_case.command].append(a_case)
    merged = collections.defaultdict(list)
    for command in sorted(cases):
        row = Row(command, cases[command], results)
        merged[row.group, (*row.cells, row.note)].append(row.word)
    lines = [f"| Command | {' | '.join(results.versions)} | What not, or otherwise than on one engine, and why |",
             "| --- " * (len(results.versions) + 2) + "|"]
    for (group, cells), words in merged.items():
        words = ", ".join(word or "(flags before the command)" for word in words)
        lines.append(f"| {name(group)} {words} | {' | '.join(cells)} |".replace("|  |", "| |"))
    return lines


def counts(results):
    """How many cases came to what, with each CLI."""
    for number, version in enumerate(results.versions):
        count = collections.Counter(results.of(a_case)[number] for a_case in Case.every)
        yield (f"- CLI {version}: of {sum(count.values()) - count[NONE]} cases {count['works']} have the same answers, "
               f"{count['differs']} differ and {count['refuses']} are refused on purpose, {count['lacks']} need what is lacking.")


def block(results):
    lines = ["", *counts(results), "", *table(results), ""]
    return MARKS[0] + "\n".join(lines) + MARKS[1]


def main():
    if sys.argv[1:] not in (["check"], ["write"]):
        sys.exit(__doc__)
    results = Results.read()
    faults = results.faults()
    with open(README, encoding="utf-8") as file:
        readme = file.read()
    found = re.search(f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}", readme, re.DOTALL)
    if not found:
        faults.append(f"README.md has no line {MARKS[0].strip()}, or none {MARKS[1].strip()} after it")
    if sys.argv[1] == "check" and not faults:
        if found[0] != block(results):
            faults.append("README.md's table of docker's commands is not that of the cases: tests/cli_table/readme.py write")
        if results.text() != results.kept:
            faults.append("results.md is not that of the cases: tests/cli_table/readme.py write")
    if faults:
        sys.exit("\n".join(faults))
    if sys.argv[1] == "write":
        results.write()
        with open(README, "w", encoding="utf-8") as file:
            file.write(readme.replace(found[0], block(results)))


if __name__ == "__main__":
    main()
