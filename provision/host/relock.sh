#!/bin/sh
# relock.sh: resolve pyproject.toml's dependencies anew, with uv in a throwaway environment, into
#   python.lock   every package, pinned, with the sha256 of each file of its release that Linux could use
#   python.files  those files' names: tests/house/test_lock.py reads from them that musl is served as well
# Neither holds an index's address: pip asks whatever index the machine is configured for.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet uv
cp pyproject.toml LICENSE "$work"
# A link that the machine's pip follows may hold files of its own making: their hashes would be known here alone.
uv() { env -u PIP_FIND_LINKS -u UV_FIND_LINKS "$work/venv/bin/uv" --quiet --no-config "$@"; }
uv lock --directory "$work"
uv export --directory "$work" --frozen --all-groups --no-emit-project --no-annotate --no-header >"$work/export"

{
    echo "# Made by provision/host/relock.sh (make lock) from pyproject.toml: do not edit."
    sed "s/ ; sys_platform == 'linux'//; s/ and sys_platform == 'linux'//" "$work/export"
} >provision/host/python.lock
{
    echo "# Made by provision/host/relock.sh (make lock): the files whose hashes python.lock holds."
    sed -n 's#.*/\([^/"]*\)", hash = "sha256:\([0-9a-f]*\)".*#\2  \1#p' "$work/uv.lock"
} >provision/host/python.files
grep -c == provision/host/python.lock | sed 's/$/ packages locked in provision\/host\/python.lock/'
