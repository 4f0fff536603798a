# SPDX-License-Identifier: Apache-2.0
"""Cases: what they are, how one is run, and when two answers are the same."""
import os
import re
import signal
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
TIME_LIMIT = 180  # for what hangs, not a measure

# What every script begins with. $c is a name, $net.0/24 and $net6::/64 are networks of its own; $registry takes images,
# $index can be searched.
PRELUDE = r"""
set -eu -o pipefail
up() { docker run -d --name "$@" >/dev/null; }                       # up NAME … IMAGE …
idle() { up "$@" busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'; } # idle NAME FLAGS…
await() { local i; for i in $(seq 600); do ! "$@" >/dev/null 2>&1 || return 0; sleep 0.1; done; echo "never came true: $*"; return 1; }
refused() { if "$@"; then echo "not refused: $*"; return 1; else echo "status $?"; fi; }
settings() { docker container inspect "$1" | jq -S '.[0] | {HostConfig, Config, Name, Path, Args, Mounts: ([.Mounts[]? | del(.Source)] | sort_by(.Destination))} |
  .Config.Env |= sort | .Config.Labels |= with_entries(select(.key | startswith("com.docker.swarm") | not))'; }
"""


class Case:
    """One thing that a CLI does. `command` is its row in the table, `what` names flags or a behaviour.

    lines    "in order", or "any order": lines may come in another order, and several times (once a node)
    cli      the major version that alone has it; None: every one
    alone    it looks at, or changes, more than what it made itself
    lacks    (pattern, what is lacking): an engine may not be able to do it and then says what the pattern matches
    differs  (pattern, reason): the pool does otherwise, on purpose, and prints what the pattern matches
    refuses  (pattern, reason): the pool does not do it, on purpose, and prints what the pattern matches
    without  patterns of lines that are not compared
    """

    every = []

    def __init__(self, command, what, script, *, lines="in order", cli=None, alone=False, lacks=None, differs=None,
                 refuses=None, without=()):
        self.command, self.what, self.script = command, what, script
        self.lines, self.cli, self.alone = lines, cli, alone
        self.lacks, self.differs, self.refuses, self.without = lacks, differs, refuses, without
        self.number = len(Case.every)
        Case.every.append(self)

    def for_cli(self, version):
        return self.cli is None or version.split(".")[0] == self.cli

    def outcomes(self):
        """What may come of it."""
        if self.refuses:
            return ("refuses",)
        if self.differs:
            return ("differs",)
        return ("works", "lacks") if self.lacks else ("works",)

    def reason(self, outcome):
        """Of an outcome other than "works"."""
        reason = getattr(self, outcome)[1]
        return f"needs {reason}" if outcome == "lacks" else reason


case = Case


class Answer:
    def __init__(self, status, out, err, calls):
        self.status, self.out, self.err, self.calls = status, out, err, calls

    def text(self):
        return f"{self.out}{self.err}exit status {self.status}\n"


def run(a_case, cli, host, folder, name, environment):
    """Run a case's script against the engine or the manager at host."""
    os.makedirs(folder + "/calls")
    os.makedirs(folder + "/work")
    variables = dict(os.environ, **environment, DOCKER=cli.path, DOCKER_HOST=host, CALLS=folder + "/calls", HOME=folder + "/work",
                     c=name, TERM="xterm", LC_ALL="C", DOCKER_BUILDKIT="0", DOCKER_CLI_HINTS="0",
                     PATH=HERE + "/bin:" + os.environ["PATH"])
    with open(folder + "/out", "wb+") as out, open(folder + "/err", "wb+") as err:
        process = subprocess.Popen(["bash", "-c", PRELUDE + a_case.script], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   cwd=folder + "/work", env=variables, start_new_session=True)
        try:
            status = process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            status = 124
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what a script left running in the background
        except ProcessLookupError:
            pass
        process.wait()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace").replace(folder, "FOLDER"))
    calls = []
    for entry in os.scandir(folder + "/calls"):
        with open(entry.path, encoding="utf-8", errors="replace") as file:
            calls.append(file.read().split("\0")[:-1])
    return Answer(status, *texts, calls)


# What differs from run to run, or from engine to engine, and says nothing.
VARYING = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"\r|\x1b\[[0-9;?]*[A-Za-z]", ""),
    (r"\b[0-9a-f]{64}\b", "ID"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?Z| ?[+-]\d\d:?\d\d)?( [A-Z]{3})?", "TIME"),
    (r"\b(Less than a second|About (a|an) \w+|\d+ (second|minute|hour|day|week|month|year)s?)\b", "A WHILE"),
    (r"\b10\.9\.0\.\d+(:[23]375)?\b", "ENGINE"),
    (r"\b(10\.8|172|192\.168)(\.\d+)+\b", "ADDRESS"),
    (r"cgroup\.parent/\S+|/swt-\w+-\d+", "CGROUP"),
    (r"\btini \(\d+\)", "tini"),
    (r".*level=error msg=\"error waiting for container.*\n?", ""), # there or not, as CLI 20.10 is quick
    (r"read-write layer.*|context canceled.*", ""),
    (r"\b02(:[0-9a-f]{2}){5}\b", "MAC"),
    (r"(?<=[^\d])(3[2-9]|[4-6]\d)\d{3}\b(?=->|$|[\s/\"])", "PORT"),
    (r"\b(d0|n1|n2)\b", "NODE"),
    # One error in the words of several engines' versions, and of classic Swarm.
    (r"[Nn]o such (container|network|volume):? (\S+)", r"no such \1: \2"),
    (r"(Cannot kill container: )[^:]+: ", r"\1"),
    (r"\b([Cc]ontainer:?) (ID|c\d{3}[a-f])(?=[:\s]|$)", r"\1 ID"), # the manager asks an engine by the id
    (r"Cannot kill container: (?=no such container)", ""),
    (r"path= /run/\S+", "path= LOG"),
    (r"\bnetwork (\S+) not found", r"no such network: \1"),
    (r"\bget (\S+): no such volume", r"no such volume: \1"),
    (r"[ \t]{2,}", "  "),
    (r"[ \t]+(?=\n|$)", ""),
)]


def normal(text, lines, without, of_pool):
    """The text without what may differ: in a pool that is a node's name before the name of a thing, too."""
    if of_pool:
        text = re.sub(r"(?<![\w.-])/?(n1|n2)/(?=[\w.-])", lambda m: "/" if m[0][0] == "/" else "", text)
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    kept = [line for line in text.splitlines() if not any(re.search(pattern, line) for pattern in without)]
    return "\n".join(sorted(set(kept)) if lines == "any order" else kept)


def same(a_case, direct, pool):
    if direct.status != pool.status:
        return False
    return all(normal(one, a_case.lines, a_case.without, False) == normal(other, a_case.lines, a_case.without, True)
               for one, other in ((direct.out, pool.out), (direct.err, pool.err)))


def judge(a_case, direct, pool):
    """(an outcome of the case, "") or ("lost", why)."""
    alike = same(a_case, direct, pool)
    if direct.status != 0 and not (a_case.lacks and re.search(a_case.lacks[0], direct.text())):
        return "lost", "it fails on one engine alone"
    outcome = a_case.outcomes()[0]
    if outcome in ("differs", "refuses"):
        pattern = getattr(a_case, outcome)[0]
        if alike:
            return "lost", "declared to differ from one engine, and does not"
        if not re.search(pattern, pool.text()):
            return "lost", f"differs from one engine in another way than declared ({pattern})"
        return outcome, ""
    if not alike:
        return "lost", "differs from one engine"
    return ("lacks" if direct.status != 0 else "works"), ""
