# SPDX-License-Identifier: Apache-2.0
"""What a docker CLI can do, as its own --help tells it, and what of that a call used."""
import concurrent.futures
import os
import re
import subprocess

NOWHERE = "tcp://127.0.0.1:1"  # a CLI that reaches no engine shows the flags that the engine here is too old for
SHORTCUTS = {"ps": "container ls", "images": "image ls", "rmi": "image rm", "builder build": "image build"}
GROUPS = ("container", "image", "system")
ENDS_WITH_FIRST_WORD = ("container run", "container create", "container exec", "container top")


class Command:
    """One command: its flags by name (long and short), and which of them take a value."""

    def __init__(self, text):
        self.flags = {}  # "--name" -> takes a value
        self.shorts = {}  # "n" -> "--name"
        self.commands = []
        inside = False
        for line in text.splitlines():
            flag = re.match(r" {2,6}(?:-(\w), )?(--[\w-]+)(?: (\S+))?(?:  |$)", line)
            if flag and flag[2] != "--help":
                self.flags[flag[2]] = flag[3] is not None
                if flag[1]:
                    self.shorts[flag[1]] = flag[2]
            if re.match(r".*Commands:$", line):
                inside = True
            elif line and not line.startswith(" "):
                inside = False
            elif inside and (word := re.match(r"  (\w[\w-]*)\*?\s", line)):
                self.commands.append(word[1])


class Cli:
    def __init__(self, path):
        self.path = path
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        self.version = ".".join(re.search(r"version (\d+)\.(\d+)", version).groups())
        self.commands = {}

    def read_help(self, engine):
        """Learn its commands and flags; what is used of them can be told from then on."""
        with concurrent.futures.ThreadPoolExecutor(4) as workers:
            self._read("", NOWHERE, workers)
            # What is hidden unless the engine has experimental features.
            for word in self._help("", engine).commands:
                if word not in self.commands:
                    self.commands[""].commands.append(word)
                    self._read(word, engine, workers)

    def _help(self, name, host):
        environment = dict(os.environ, DOCKER_HOST=host)
        text = subprocess.run([self.path, *name.split(), "--help"], capture_output=True, text=True, env=environment,
                              check=True).stdout
        return Command(text)

    def _read(self, name, host, workers):
        names = [name]
        while names:
            for name, command in zip(names, workers.map(lambda n: self._help(n, host), names)):
                self.commands[name] = command
            names = [f"{name} {word}".strip() for name in names for word in self.commands[name].commands if word != "help"]

    def leaves(self):
        """Every command that does something, by the name it is called with."""
        return [name for name, command in self.commands.items() if not command.commands]

    def full_name(self, name):
        """The name within its group: `docker run` is `container run`."""
        if name in SHORTCUTS:
            return SHORTCUTS[name]
        if name != "inspect":
            for group in GROUPS:
                if f"{group} {name}" in self.commands:
                    return f"{group} {name}"
        return name

    def used(self, arguments):
        """What a call used: [(command as called, flag)…], the flag "" for the command itself."""
        name, words = "", list(arguments)
        used = []
        while words:
            command, word = self.commands[name], words.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                flag, _, value = word.partition("=")
                used.append((name, flag))
                if command.flags.get(flag) and not _ and words:
                    words.pop(0)
            elif word.startswith("-") and len(word) > 1:
                letters = word[1:]
                while letters:
                    flag = command.shorts.get(letters[0], "-" + letters[0])
                    used.append((name, flag))
                    letters = letters[1:]
                    if command.flags.get(flag):
                        if not letters and words:
                            words.pop(0)
                        break
            elif word in command.commands:
                name = f"{name} {word}".strip()
                used.append((name, ""))
            elif self.full_name(name) in ENDS_WITH_FIRST_WORD:
                break
        return used
