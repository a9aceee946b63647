"""The rules of the house that no linter knows: each takes a file and tells (line, what is wrong) for every breach."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.house.tree import File

Breach = tuple[int, str]
Rule = Callable[[File], Iterator[Breach]]

MAX_LINES = 300
MAX_BYTES = 1_000_000
UNUSED_WORDS = {"manager", "managers", "helper", "helpers", "util", "utils", "data", "info", "check", "checks"}
STARTERS = {"system", "popen", "posix_spawn", "posix_spawnp", "create_subprocess_exec", "create_subprocess_shell"}
# Backslashes keep these patterns from matching themselves.
REGISTRY = re.compile(
    r"(pypi|pythonhosted|npmjs|docker|quay|ghcr|gcr|crates|golang)\.(org|com|io)\b"
    r"|(deb|security|snapshot|ftp\.\w+)\.debian\.org|alpinelinux\.org/alpine|\bregistry\.[a-z-]+\.(org|com|io)\b"
)
WORK_PATH = re.compile(r"(^|[^\w.~-])/(work|farm)/")


def size(file: File) -> Iterator[Breach]:
    if len(file.content) > MAX_BYTES:
        yield 1, f"{len(file.content)} bytes, over {MAX_BYTES}: fetch or make it when it is needed"


def length(file: File) -> Iterator[Breach]:
    if file.is_text and len(file.lines) > MAX_LINES:
        yield MAX_LINES, f"{len(file.lines)} lines: a door between two rooms, or a reason in allowed.py"


def module_name(file: File) -> Iterator[Breach]:
    for part in file.path.with_suffix("").parts if file.is_python else ():
        for word in UNUSED_WORDS.intersection(part.lower().split("_")):
            yield 1, f"'{word}' in '{part}' says nothing: name the noun (DESIGN, Words)"


def function_name(file: File) -> Iterator[Breach]:
    for node in nodes(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "check":
            yield node.lineno, "check() does not say what it asks: name the question or the act"
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Utils", "Info", "Data")):
            yield node.lineno, f"class {node.name}: name the noun (DESIGN, Words)"


def empty_init(file: File) -> Iterator[Breach]:
    if file.path.name == "__init__.py" and file.content:
        yield 1, "an __init__.py is empty: import from the module itself"


def registry_host(file: File) -> Iterator[Breach]:
    for number, line in numbered(file):
        if found := REGISTRY.search(line):
            yield number, f"names a registry ({found[0]}): the machine's own configuration says where packages are"


def work_path(file: File) -> Iterator[Breach]:
    for number, line in numbered(file):
        if WORK_PATH.search(line):
            yield number, "an absolute path of one machine's workplace"


def sleep(file: File) -> Iterator[Breach]:
    for node in nodes(file):
        match node:
            case ast.ImportFrom(module="time" | "asyncio", names=names) if any(name.name == "sleep" for name in names):
                yield node.lineno, "sleep: wait(condition, deadline) for what is awaited"
            case ast.Attribute(value=ast.Name(id="time" | "asyncio"), attr="sleep"):
                yield node.lineno, "sleep: wait(condition, deadline) for what is awaited"


def broad_except(file: File) -> Iterator[Breach]:
    for node in nodes(file):
        match node:
            case ast.ExceptHandler(type=None):
                yield node.lineno, "a bare except: name what can go wrong"
            case ast.ExceptHandler(type=ast.expr() as caught):
                names = {part.id for part in ast.walk(caught) if isinstance(part, ast.Name)}
                for name in names & {"Exception", "BaseException"}:
                    yield node.lineno, f"except {name}: name what can go wrong"


def shell(file: File) -> Iterator[Breach]:
    for node in nodes(file):
        match node:
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                yield node.value.lineno, "shell=True: an argv list needs no shell"


def subprocess(file: File) -> Iterator[Breach]:
    told = "a process is started in provision/run.py or fixtures/run.py alone"
    for node in nodes(file):
        match node:
            case ast.Import(names=names) if any(name.name == "subprocess" for name in names):
                yield node.lineno, told
            case ast.ImportFrom(module="subprocess" | "asyncio.subprocess"):
                yield node.lineno, told
            case ast.Attribute(value=ast.Name(id="os" | "asyncio"), attr=attr) if attr in STARTERS:
                yield node.lineno, told
            case ast.ImportFrom(module="os", names=names) if STARTERS & {name.name for name in names}:
                yield node.lineno, told


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        size, length, module_name, function_name, empty_init, registry_host, work_path,
        sleep, broad_except, shell, subprocess,
    )
}  # fmt: skip


def nodes(file: File) -> Iterator[ast.AST]:
    if file.is_python:
        yield from ast.walk(file.syntax())


def numbered(file: File) -> Iterator[Breach]:
    if file.is_text:
        yield from enumerate(file.lines, start=1)
