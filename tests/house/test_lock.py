"""The lock: whole, hashed, without an index's address, and installable on Debian and on Alpine alike.

python.lock has no file names; python.files, made with it, has them, and the hashes tie the two together.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.house.tree import ROOT

LOCK = (ROOT / "provision/host/python.lock").read_text()
FILES = (ROOT / "provision/host/python.files").read_text()
PYTHONS = ((3, 11), (3, 12), (3, 13))
PLATFORMS = {
    "alpine": [f"musllinux_1_{minor}_x86_64" for minor in (2, 1, 0)],
    # glibc 2.36 is Debian 12's; the older names are aliases of 2.17, 2.12 and 2.5
    "debian": [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)]
    + [f"manylinux{alias}_x86_64" for alias in ("2014", "2010", "1")],
}


def locked() -> dict[str, tuple[str, frozenset[str]]]:
    """Each package's version and the hashes it may have."""
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", LOCK, flags=re.MULTILINE).strip())
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in entries:
        requirement, *hashes = re.split(r"\s*\\\n\s+--hash=sha256:", entry)
        name, _, version = requirement.partition(" ;")[0].partition("==")
        found[canonicalize_name(name)] = (version, frozenset(hashes))
    return found


def file_names() -> dict[str, str]:
    """The name of each file, by its hash."""
    return {line[:64]: line[66:] for line in FILES.splitlines() if not line.startswith("#")}


def declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]


def lacking(package: str, names: Iterable[str], family: str) -> list[str]:
    """The Python versions for which no file among `names` is a wheel that the family can install."""
    tags = frozenset[Tag]().union(*wheels(package, names))
    return [f"{python[0]}.{python[1]}" for python in PYTHONS if not tags & set(usable(python, family))]


def wheels(package: str, names: Iterable[str]) -> Iterator[frozenset[Tag]]:
    for name in names:
        if name.endswith(".whl"):
            distribution, _, _, tags = parse_wheel_filename(name)
            assert distribution == package, f"{name} is recorded as a file of {package}"
            yield tags


def usable(python: tuple[int, int], family: str) -> Iterator[Tag]:
    interpreter = f"cp{python[0]}{python[1]}"
    yield from cpython_tags(python, platforms=PLATFORMS[family])
    yield from compatible_tags(python, interpreter, PLATFORMS[family])


LOCKED = locked()
FILE_NAMES = file_names()


@pytest.mark.parametrize("package", LOCKED)
def test_is_hashed(package: str) -> None:
    version, hashes = LOCKED[package]
    assert version
    assert hashes
    assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in hashes)


def test_files_are_those_of_the_lock() -> None:
    assert set(FILE_NAMES) == {each for _, hashes in LOCKED.values() for each in hashes}, "run `make lock`"


def test_names_no_index() -> None:
    assert "://" not in LOCK + FILES
    assert "--index-url" not in LOCK


@pytest.mark.parametrize("family", PLATFORMS)
@pytest.mark.parametrize("package", LOCKED)
def test_has_a_wheel(package: str, family: str) -> None:
    assert lacking(package, (FILE_NAMES[each] for each in LOCKED[package][1]), family) == []


def test_a_glibc_only_package_is_seen() -> None:
    """The control: what z3-solver publishes serves Debian and not Alpine."""
    files = ["z3_solver-4.15.4.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "z3_solver-4.15.4.0.tar.gz"]
    assert lacking("z3-solver", files, "debian") == []
    assert lacking("z3-solver", files, "alpine") == ["3.11", "3.12", "3.13"]
    assert lacking("z3-solver", ["z3_solver-1-cp311-cp311-musllinux_1_2_x86_64.whl"], "alpine") == ["3.12", "3.13"]


@pytest.mark.parametrize("requirement", declared())
def test_declared_is_locked(requirement: str) -> None:
    wanted = Requirement(requirement)
    version, _ = LOCKED[canonicalize_name(wanted.name)]
    assert version in wanted.specifier, f"{wanted} is declared, {version} is locked: run `make lock`"


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {canonicalize_name(each.name): each.version for each in distributions()}
    own = {"pip", "pluto"}  # the first comes with the venv, the second is this checkout
    assert {name: installed[name] for name in installed.keys() - own} == {name: LOCKED[name][0] for name in LOCKED}
