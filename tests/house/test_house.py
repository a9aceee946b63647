"""The house is as DESIGN draws it: its top level, its words, and what is never done in it."""

from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from tests.house.allowed import ALLOWED
from tests.house.rules import RULES, Breach
from tests.house.tree import File, files

TOP_LEVEL = {
    "conftest.py", "pyproject.toml", "Makefile", "provision", "specs", "tests", "fixtures",
    "README.md", "LICENSE", "CHANGELOG.md", "docs", ".ci", ".gitignore",
}  # fmt: skip

BROKEN = {
    "size": [("big.bin", b"\0" * 1_000_001)],
    "length": [("long.yaml", b"a: 1\n" * 301)],
    "module_name": [("specs/utils.py", b""), ("provision/link_helper.py", b""), ("fixtures/data/link.py", b"")],
    "function_name": [("a.py", b"def check() -> None: ..."), ("a.py", b"class LinkManager: ...")],
    "empty_init": [("specs/__init__.py", b"from specs import model")],
    "registry_host": [("a.txt", b"index: py" + b"pi.org/simple"), ("a.sh", b"podman pull quay" + b".io/a")],
    "work_path": [("a.md", b"see /wor" + b"k/main"), ("a.py", b"ROOT = '/wor" + b"k/main'")],
    "sleep": [("a.py", b"import time\ntime.sleep(1)"), ("a.py", b"from time import sleep")],
    "broad_except": [
        ("a.py", b"try: ...\nexcept: ..."),
        ("a.py", b"try: ...\nexcept Exception: ..."),
        ("a.py", b"try: ...\nexcept (OSError, BaseException): ..."),
    ],
    "shell": [("a.py", b"run('true', shell=True)")],
    "subprocess": [
        ("a.py", b"import subprocess"),
        ("a.py", b"from subprocess import run"),
        ("a.py", b"import os\nos.system('true')"),
    ],
}
SOUND = {
    "size": ("small.bin", b"\0" * 1_000_000),
    "length": ("short.yaml", b"a: 1\n" * 300),
    "module_name": ("provision/dataset.py", b""),
    "function_name": ("a.py", b"def check_mark() -> None: ..."),
    "empty_init": ("specs/__init__.py", b""),
    "registry_host": ("a.md", b"https://www." + b"debian" + b".org/doc/"),
    "work_path": ("a.md", b"a worktree in ./work/ or network/"),
    "sleep": ("a.py", b"import time\ntime.monotonic()"),
    "broad_except": ("a.py", b"try: ...\nexcept OSError: ..."),
    "shell": ("a.yaml", b"shell: true"),
    "subprocess": ("a.md", b"import subprocess"),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    breaches = [
        f"{file.path}:{line}: {what}"
        for file in files()
        if not any(fnmatch(str(file.path), pattern) for pattern in ALLOWED.get(rule, {}))
        for line, what in RULES[rule](file)
    ]
    if breaches:
        pytest.fail("\n".join(["", *breaches]), pytrace=False)


@pytest.mark.parametrize("rule", RULES)
def test_rule_sees_a_breach_and_lets_the_sound_pass(rule: str) -> None:
    assert [path for path, content in BROKEN[rule] if not told(rule, path, content)] == []
    assert told(rule, *SOUND[rule]) == []


def test_nothing_is_allowed_that_needs_no_allowance() -> None:
    needless = [
        f"{rule}: {pattern}"
        for rule, patterns in ALLOWED.items()
        for pattern in patterns
        if not any(list(RULES[rule](file)) for file in files() if fnmatch(str(file.path), pattern))
    ]
    assert needless == []


def test_top_level() -> None:
    assert {file.path.parts[0] for file in files()} == TOP_LEVEL


def told(rule: str, path: str, content: bytes) -> list[Breach]:
    return list(RULES[rule](File(path=PurePosixPath(path), content=content)))
