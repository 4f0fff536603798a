#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A case of each docker command: the same answers from one engine and from a pool. `tests/run.sh cli-table` runs all cases.
CLI_TABLE=fast exec bash "$(dirname "$0")/../cli_table/cli_table.sh"
