"""A YAML file as plain data, with the line of every key and item.

Only what YAML's core schema knows is read (the safe loader), and a key that stands twice in one mapping is a
mistake, which YAML 1.2.2 section 3.2.1.1 says and PyYAML does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from specs.model import Source
from specs.problems import Problem, SpecError

KeyPath = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class Document:
    """`data` is what the file says; `lines` maps the path of a key or item to its line, from 1."""

    file: str
    data: object
    lines: Mapping[KeyPath, int]

    def at(self, *path: str | int) -> Source:
        """Where `path` stands, or the nearest thing around it that has a place."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return Source(file=self.file, line=self.lines[path[:length]])
        return Source(file=self.file, line=1)


def read(folder: Path, file: str) -> Document:
    """Read `folder/file`. Raises SpecError when it is missing, empty, no YAML, or says a key twice."""
    text = _text(folder, file)
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        problems = list(_duplicates(file, node)) if node is not None else []
        data = None if node is None or problems else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise SpecError([_syntax(file, error)]) from error
    finally:
        loader.dispose()
    if node is None:
        raise SpecError([_problem(file, 1, "the file is empty", "write the keys it must hold, or delete it")])
    if problems:
        raise SpecError(problems)
    return Document(file=file, data=data, lines=dict(_lines(node, ())))


def _text(folder: Path, file: str) -> str:
    try:
        return (folder / file).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SpecError([_problem(file, 1, "the file is missing", f"an estate's folder holds {file}")]) from error
    except UnicodeDecodeError as error:
        raise SpecError([_problem(file, 1, f"not UTF-8 text: {error.reason}", "save the file as UTF-8")]) from error
    except OSError as error:
        raise SpecError([_problem(file, 1, f"cannot be read: {error.strerror}")]) from error


def _syntax(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    return _problem(file, mark.line + 1 if mark else 1, f"no YAML: {said}", "mind the indentation, colons and brackets")


def _duplicates(file: str, node: yaml.Node) -> Iterator[Problem]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                yield _problem(file, line, f"duplicate name `{key.value}`", f"it stands at line {seen[key.value]} already")
            seen.setdefault(key.value, line)
            yield from _duplicates(file, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _duplicates(file, value)


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
