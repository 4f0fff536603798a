# SPDX-License-Identifier: Apache-2.0
"""Flags of --help that no case has, with the reason: regular expressions over "COMMAND --flag"."""

EXCLUDED = [
    (r"(swarm|node|service|stack|secret|config) .*", "refused whatever the flags"),
]
