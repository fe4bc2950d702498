#!/bin/sh
# The command click-trends of this repository; `make setup` puts it beside its environment's Python.
# Runs the tree in which it is called, else the one that holds the environment: several may share one.
set -eu

self=$0
while [ -L "$self" ]; do
    link=$(readlink "$self")
    case $link in
        /*) self=$link ;;
        *) self=$(dirname "$self")/$link ;;
    esac
done
bin=$(cd "$(dirname "$self")" && pwd)
tree=$PWD
until [ -f "$tree/clients/command_line/__main__.py" ]; do
    if [ -z "$tree" ]; then
        tree=${bin%/.venv/bin}
        break
    fi
    tree=${tree%/*}
done
exec "$bin/python" -P -c 'import sys
sys.path.insert(0, sys.argv.pop(1))
from clients.command_line.__main__ import main
main()' "$tree" "$@"
