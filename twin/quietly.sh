#!/usr/bin/env bash
# quietly.sh COMMAND...: runs it and hides what it prints, unless it fails: then all of that is shown.
set -uo pipefail

output=$(mktemp)
trap 'rm -f "$output"' EXIT
# Ctrl-C reaches the command too; its traceback would tell nobody anything.
trap 'exit 130' INT

"$@" >"$output" 2>&1
status=$?
((status == 0)) || cat "$output" >&2
exit $status
