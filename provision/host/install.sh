#!/bin/sh
# install.sh [system | python | test]: what the machine needs before the first `python -m provision`, the first two when
# not told; and what `make test` needs besides.
# System packages come by the host's own package manager, Python packages into .venv from a hashed lock file.
# With nothing to do it only looks, in a few milliseconds. POSIX sh: a fresh Alpine has no bash.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # a root shell got by `su` has none of them
lock=provision/host/python.lock

main() {
    case ${1:-all} in
        system) system_packages packages ;;
        python) python_packages ;;
        test) system_packages test.packages ;;
        all) system_packages packages && python_packages ;;
        *) fail "usage: provision/host/install.sh [system | python | test]" ;;
    esac
}

# The list of this machine's family that ends in $1.
system_packages() {
    if command -v apk >/dev/null; then family=apk
    elif command -v apt-get >/dev/null; then family=apt
    else fail "neither apk nor apt-get is here: pluto knows Alpine and Debian. See provision/host/*.packages"
    fi
    missing=$(missing_packages <"provision/host/$family.$1")
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || fail "these packages are missing, and only root can install them:$missing"
    say "system packages by $family:$missing"
    # shellcheck disable=SC2086  # a list of words
    "by_$family" $missing
}

# The packages of the list on stdin whose program, or file, is not here.
missing_packages() {
    while read -r package shown_by; do
        case $package in '' | '#'*) continue ;; esac
        case $shown_by in
            /*) is_file "$shown_by" ;;
            *) command -v "$shown_by" >/dev/null ;;
        esac || printf ' %s' "$package"
    done
}

# shellcheck disable=SC2086  # a pattern: python3* is whichever version the distribution has
is_file() { set -- $1 && [ -e "$1" ]; }

by_apk() { narrated apk add "$@"; }

by_apt() {
    export DEBIAN_FRONTEND=noninteractive
    set -- apt-get install --yes --no-install-recommends "$@"
    # Lists that are absent, or so old that a package is gone from the mirror, are fetched; current ones are not.
    if "$@" --simulate >/dev/null 2>&1 && narrated "$@"; then return; fi
    say "apt-get update (the package lists are missing or out of date)"
    narrated apt-get update && narrated "$@"
}

python_packages() {
    lock_key="$(sha256sum "$lock") $PWD"
    if ! stamped .venv/.lock-installed "$lock_key" || [ ! -x .venv/bin/python ]; then
        python=$(suitable_python)
        say "Python packages into .venv: $(grep -c == "$lock") from $lock, for $python"
        "$python" -m venv --clear .venv
        narrated .venv/bin/python -m pip install --require-hashes --only-binary :all: --no-deps -r "$lock"
        printf '%s\n' "$lock_key" >.venv/.lock-installed
    fi
    project_key=$(sha256sum pyproject.toml)
    if ! stamped .venv/.project-installed "$project_key"; then
        say "pluto itself into .venv, as a link to this checkout"
        narrated .venv/bin/python -m pip install --no-index --no-deps --no-build-isolation --editable .
        printf '%s\n' "$project_key" >.venv/.project-installed
    fi
    # As pip does for a package: compiled once, here, wherever the environment forbids Python to do so by itself.
    if [ ! -e .venv/.compiled ] || [ -n "$(find specs provision -name '*.py' -newer .venv/.compiled)" ]; then
        .venv/bin/python -m compileall -q specs provision
        touch .venv/.compiled
    fi
}

stamped() { [ -r "$1" ] && read -r stamp <"$1" && [ "$stamp" = "$2" ]; }

# The first of $PYTHON, python3 and the distribution's own that is 3.11 to 3.13 and can make a venv.
suitable_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3; do
        "$candidate" - 2>/dev/null <<'PY' && return
import ensurepip, sys, venv
sys.exit(print(sys.executable) if (3, 11) <= sys.version_info < (3, 14) else 1)
PY
    done
    fail "no Python 3.11 to 3.13 with the venv and ensurepip modules: looked at ${PYTHON:+$PYTHON, }python3 and" \
        "/usr/bin/python3. Name one: make provision PYTHON=/path/to/python3.12"
}

# Run a package manager, telling one line for each package; if it fails, show the end of what it said.
narrated() {
    log=$(mktemp)
    if { "$@" </dev/null 2>&1 && echo "exit 0" || echo "exit $?"; } | tee "$log" | each_package; then
        rm "$log"
    else
        tail -n 25 "$log" >&2 && rm "$log" && fail "failed: $*"
    fi
}

# Keep from a package manager's output one line for each package; succeed if its last line says so.
each_package() {
    last=
    while read -r line; do
        last=$line
        case $line in
            "Setting up "*) told=${line#Setting up } && echo "  ${told%% ...*}" ;;
            "("*") Installing "*) echo "  ${line#*Installing }" ;;
            "Collecting "*==*) told=${line#Collecting } && echo "  ${told%% *}" ;;
            "Processing "*.whl*) told=${line%%.whl*} && told=${told##*/} && echo "  ${told%%-[pc][yp][23]*}" ;; # a file that pip's configuration names
        esac
    done
    [ "$last" = "exit 0" ]
}

say() { printf 'install: %s\n' "$*"; }

fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

main "$@"
