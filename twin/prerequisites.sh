#!/usr/bin/env bash
# Checks the three tools that `make setup` builds on, and names each missing one with how to get it.
# `prerequisites.sh python` prints the Python to use and checks nothing else.
set -euo pipefail
trap 'exit 130' INT # a check that meets Ctrl-C says nothing of its tool

python_with_a_fitting_version() {
    local candidate
    for candidate in python3.11 python3.12 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

if [[ ${1:-} == python ]]; then
    python_with_a_fitting_version
    exit
fi

missing=0
require() { # WHAT HOW-TO-GET-IT
    echo "missing: $1. Get it: $2" >&2
    missing=1
}

python_with_a_fitting_version >/dev/null ||
    require "Python 3.11 or 3.12 (PyFlink 2.3 has no newer)" "apt-get install python3.11 python3.11-venv, brew install python@3.11, or pyenv install 3.11"

java_version=$(javac -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/' || true)
[[ $java_version =~ ^[0-9]+$ && $java_version -ge 17 ]] ||
    require "JDK 17 (javac)" "apt-get install openjdk-17-jdk-headless, brew install openjdk@17, or https://adoptium.net"

mvn -version >/dev/null 2>&1 ||
    require "Maven 3.8 or newer" "apt-get install maven, brew install maven, or https://maven.apache.org"

exit $missing
