# SPDX-License-Identifier: Apache-2.0
"""The outcome of every case with every CLI, as results.md keeps it: a row a case, in the cases' order."""
import os
import re

import cases_client  # noqa: F401  (each adds its cases to Case.every)
import cases_containers  # noqa: F401
import cases_images  # noqa: F401
import cases_run  # noqa: F401
import cases_streams  # noqa: F401
import cases_system  # noqa: F401
from case import Case
from excluded import EXCLUDED

PATH = os.path.join(os.path.dirname(os.path.realpath(__file__)), "results.md")
NONE = "–"  # the CLI does not have it
HEAD = """# docker's commands and flags, on one engine and on a pool

Each row was run on one engine alone and on a pool of two, with each of the CLIs, by `tests/run.sh cli-table write`, which
writes this file. *works*: the answers are the same. *differs*: the pool does otherwise, on purpose. *refuses*: the pool does
not do it, on purpose. *lacks*: the engines cannot do it here; the pool answers what one engine answers. –: the CLI does not
have it.

"""


def code(text):
    """Markdown: flags as code, and nothing that would end the cell."""
    text = re.sub(r"(?<!\S)-{1,2}\w[\w-]*(?: -{1,2}\w[\w-]*)*", lambda m: f"`{m[0]}`", text)
    return text.replace("|", "\\|")


def name(command):
    return f"`docker {command}`".replace(" `", "`")


def key(a_case):
    return name(a_case.command), code(a_case.what)


class Results:
    def __init__(self, versions, outcomes, kept=""):
        self.versions = versions  # of the CLIs, oldest first
        self.outcomes = outcomes  # (key of a case, version) -> outcome
        self.kept = kept  # results.md as it was read

    @classmethod
    def read(cls):
        """What results.md has."""
        kept = ""
        if os.path.exists(PATH):
            with open(PATH, encoding="utf-8") as file:
                kept = file.read()
        rows = [line[2:-2].split(" | ") for line in kept.splitlines() if line.startswith("| ")]
        versions = rows[0][2:-1] if rows else []
        outcomes = {(tuple(row[:2]), version): outcome for row in rows for version, outcome in zip(versions, row[2:])}
        return cls(versions, outcomes, kept)

    def add(self, outcomes):
        """Outcomes of cases that were run: {(case, version): outcome}."""
        self.outcomes.update({(key(a_case), version): outcome for (a_case, version), outcome in outcomes.items()})
        versions = {*self.versions, *(version for _, version in outcomes)}
        self.versions = sorted(versions, key=lambda version: [int(part) for part in version.split(".")])

    def write(self):
        with open(PATH, "w", encoding="utf-8") as file:
            file.write(self.text())

    def of(self, a_case):
        """The outcome with each CLI, or NONE."""
        return [self.outcomes.get((key(a_case), version), "no result") if a_case.for_cli(version) else NONE
                for version in self.versions]

    def faults(self):
        """Cases whose outcome is not there, or is none that they may have."""
        return [f"results.md: {version}: {a_case.command}: {a_case.what}: {outcome}" for a_case in Case.every
                for version, outcome in zip(self.versions, self.of(a_case)) if outcome not in (NONE, *a_case.outcomes())]

    def text(self):
        lines = [HEAD + f"| Command | Flags, or what of it | {' | '.join(self.versions)} | Why |",
                 "| --- " * (len(self.versions) + 3) + "|"]
        for a_case in Case.every:
            outcomes = self.of(a_case)
            reasons = [a_case.reason(outcome) for outcome in dict.fromkeys(outcomes)
                       if outcome in ("differs", "lacks", "refuses")]
            lines.append(f"| {' | '.join((*key(a_case), *outcomes, code('; '.join(reasons))))} |")
        lines += ["", "Flags that are in no row:", ""] + [f"- `{pattern}`: {reason}" for pattern, reason in EXCLUDED]
        return "\n".join(lines) + "\n"
