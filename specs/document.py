"""A YAML file as plain values, with the line of every key and item.

Of YAML's core schema (YAML 1.2.2, section 10.3) plain decimal numbers, true, false and null are read; all else
is text, so `yes`, `0x10`, `12:30` and `2026-01-01` are what they look like. Keys are text and stand once in a mapping
(section 3.2.1.1, which PyYAML does not ask). Aliases and merge keys work; tags, and aliases that do not end, do not.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from specs.model import Source
from specs.problems import Problem, SpecError, shown

KeyPath = tuple[str | int, ...]
MAX_BYTES = 1024**2
MAX_DEPTH = 32  # PyYAML recurses, and libyaml's binding crashes where the nesting is too deep
MAX_VALUES = 50_000  # with every alias spelled out
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
_WORDS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(0|[1-9][0-9]*)\.[0-9]+", "-+0123456789"),
    ("merge", r"<<", "<"),
)


def _core_loader() -> type[yaml.SafeLoader]:
    base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: type[yaml.SafeLoader] = type("CoreLoader", (base,), {"yaml_implicit_resolvers": {}})
    for word, pattern, first in _WORDS:
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{word}", re.compile(f"^(?:{pattern})$"), list(first))
    return loader


_LOADER = _core_loader()


@dataclass(frozen=True, kw_only=True)
class Document:
    """`data` is what the file says; `lines` maps the path of a key or item to its line, from 1."""

    file: str
    data: object
    lines: Mapping[KeyPath, int]

    def at(self, *path: str | int) -> Source:
        """Where `path` stands, or the nearest thing around it that has a place."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Source(file=self.file, line=self.lines[path[:length]])
        return Source(file=self.file, line=1)


def read(folder: Path, file: str) -> Document:
    """Read `folder/file`. Raises SpecError when it is missing, empty, no YAML, or says a key twice."""
    text = _text(folder, file)
    try:
        return _document(file, text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise SpecError([_syntax(file, text, error)]) from error


def _document(file: str, text: str) -> Document:
    problems = list(_not_read(file, text))
    loader = _LOADER(text)
    try:
        node = None if problems else loader.get_single_node()
        if node is not None:
            problems += _endless(file, node) or _keys(file, node)
        elif not problems:
            problems.append(_problem(file, 1, "the file is empty", "write the keys it must hold, or delete it"))
        if node is None or problems:
            raise SpecError(problems)
        data = loader.construct_document(node)  # merges `<<` into the nodes, so the lines are asked for after it
        return Document(file=file, data=data, lines=dict(_lines(node, ())))
    finally:
        loader.dispose()


def _text(folder: Path, file: str) -> str:
    try:
        content = _content(folder / file)
    except FileNotFoundError as error:
        raise SpecError([_problem(file, 1, "the file is missing", f"an estate's folder holds {file}")]) from error
    except OSError as error:
        raise SpecError([_problem(file, 1, f"cannot be read: {error.strerror}")]) from error
    if content is None:
        raise SpecError([_problem(file, 1, "is no regular file", "a folder, a pipe or a device stands in its place")])
    if len(content) > MAX_BYTES:
        raise SpecError([_problem(file, 1, f"is larger than {MAX_BYTES} bytes", "part it into modules")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SpecError([_problem(file, line, f"not UTF-8 text: {error.reason}", "save it as UTF-8")]) from error


def _content(path: Path) -> bytes | None:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
        return None
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _syntax(file: str, text: str, error: yaml.YAMLError | ValueError) -> Problem:
    mark, said = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if said is not None and said.startswith("but "):
        said = f"{getattr(error, 'context', '')}, {said}"
    line = 1 if mark is None else mark.line + 1
    if isinstance(error, yaml.reader.ReaderError):
        line = text.encode()[: error.position].count(b"\n") + 1
    said = said or str(error).splitlines()[0]
    return _problem(file, line, f"no YAML: {said}", "mind the indentation (spaces, no tabs), colons and brackets")


def _not_read(file: str, text: str) -> Iterator[Problem]:
    """What must be refused before PyYAML builds anything of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        tag = getattr(event, "tag", None)
        if tag is not None:
            yield _problem(file, line, f"the tag {shown(tag)} has no place here", "write the plain value")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            yield _problem(file, line, f"is nested deeper than {MAX_DEPTH} levels", "nothing here needs so many")
            return


def _endless(file: str, top: yaml.Node) -> list[Problem]:
    """A file of aliases that never ends, or that is a million times as large as it looks."""
    left, count = [(top, frozenset[int]())], 0
    while left:
        node, above = left.pop()
        count += 1
        if id(node) in above or len(above) > MAX_DEPTH or count > MAX_VALUES:
            line = node.start_mark.line + 1
            return [_problem(file, line, "aliases make it too large or endless", "write out what they stand for")]
        left += [(inner, above | {id(node)}) for inner in _inside(node)]
    return []


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _keys(file: str, node: yaml.Node) -> list[Problem]:
    problems = [problem for inner in _inside(node) for problem in _keys(file, inner)]
    seen: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _KEY_TAGS:
            said = f" {shown(key.value)}" if isinstance(key, yaml.ScalarNode) else ""
            problems.append(_problem(file, line, f"the key{said} is no text", "put it in quotes"))
        elif key.value in seen:
            hint = f"it stands at line {seen[key.value]} already"
            problems.append(_problem(file, line, f"duplicate name {shown(key.value)}", hint))
        else:
            seen[key.value] = line
    return problems


def _lines(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, key.value)
            yield below, key.start_mark.line + 1
            yield from _lines(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index))


def _problem(file: str, line: int, text: str, hint: str = "") -> Problem:
    return Problem(source=Source(file=file, line=line), text=text, hint=hint)
