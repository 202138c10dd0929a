#!/bin/sh
# Work the locks out anew: exact versions, each by its hashes, and no address of anything.
set -eu
cd "$(dirname "$0")/.."
lock() { # $1: the file; the rest: what goes into it
    out=requirements/$1.txt
    shift
    uv pip compile "$@" --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-annotate --quiet -o "$out"
}
lock use pyproject.toml --extra desk --extra postgres --extra editor --group build
lock test pyproject.toml --extra all --group build --group test
lock node --group node
