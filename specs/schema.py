"""The JSON Schemas for editors, made from the shapes of specs.raw: what an editor completes and marks while one types.

Each declaration's first line names its schema, as yaml-language-server reads it. What a schema cannot say
(every name known, no overlap, a way for each flow) is said by specs.load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from specs.raw import SHAPES

FOLDER = Path(__file__).parent.parent / "docs" / "schema"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WIDTH = 110


def schemas() -> Mapping[str, str]:
    """Kind of file -> the text of its schema, which belongs in FOLDER as <kind>.json."""
    return {kind: _laid_out(_schema(kind)) + "\n" for kind in sorted(SHAPES)}


def stale(folder: Path = FOLDER) -> tuple[str, ...]:
    """The files that are missing in `folder` or hold another schema."""
    return tuple(f"{kind}.json" for kind, text in schemas().items() if _standing(folder / f"{kind}.json") != text)


def _standing(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _schema(kind: str) -> object:
    said = _untitled(SHAPES[kind].model_json_schema())
    assert isinstance(said, dict)
    return {"$schema": _DIALECT, "title": f"pluto {kind}.yaml", **said}


def _untitled(value: object, *, names: bool = False) -> object:
    """Without pydantic's titles, which repeat the key; `names`: the keys of this mapping are the owner's own."""
    if isinstance(value, list):
        return [_untitled(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _untitled(item, names=key in ("properties", "$defs") and not names)
        for key, item in value.items()
        if names or not (key == "title" and isinstance(item, str))
    }


def _laid_out(value: object, indent: int = 0) -> str:
    """JSON, a line for what fits on one."""
    flat = json.dumps(value)
    if len(flat) + indent <= _WIDTH or not isinstance(value, dict | list):
        return flat
    below, pad = indent + 2, "\n" + " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_laid_out(item, below)}" for key, item in value.items()]
        return "{" + pad + f",{pad}".join(parts) + "\n" + " " * indent + "}"
    return "[" + pad + f",{pad}".join(_laid_out(item, below) for item in value) + "\n" + " " * indent + "]"
