"""The JSON Schemas for editors are current, and say what the loader says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from specs.load import DEFAULT_FOLDER
from specs.raw import SHAPES
from specs.schema import FOLDER, schemas, stale

ROOT = Path(__file__).parents[2]
DECLARATIONS = sorted([*DEFAULT_FOLDER.rglob("*.yaml")])
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")


def test_the_schemas_are_current() -> None:
    assert stale() == (), "run `python -m provision schema docs/schema`"


def test_a_stale_schema_is_told(tmp_path: Path) -> None:
    for kind, text in schemas().items():
        (tmp_path / f"{kind}.json").write_text(text)
    assert stale(tmp_path) == ()
    (tmp_path / "links.json").write_text("{}")
    (tmp_path / "lab.json").unlink()
    assert stale(tmp_path) == ("lab.json", "links.json")


@pytest.mark.parametrize("kind", SHAPES)
def test_unknown_keys_are_marked(kind: str) -> None:
    schema = json.loads(schemas()[kind])
    for table in (schema, *schema.get("$defs", {}).values()):
        assert table["type"] == "string" or table["additionalProperties"] is False
    assert "Raw" not in schema["title"]


@pytest.mark.parametrize("file", DECLARATIONS, ids=lambda file: file.relative_to(DEFAULT_FOLDER).as_posix())
def test_each_declaration_names_its_schema(file: Path) -> None:
    found = MODELINE.match(file.read_text())
    assert found, f"{file.name} begins with no line `# yaml-language-server: $schema=…`"
    schema = (file.parent / found[1]).resolve()
    assert schema.parent == FOLDER.resolve()
    schema_of = json.loads(schema.read_text())
    assert list(faults(schema_of, schema_of, yaml.safe_load(file.read_text()))) == []


def test_the_reader_of_schemas_here_can_say_no() -> None:
    links = json.loads(schemas()["links"])
    bad = {"links": [{"name": "Pub", "a": "x 10.0.0.0", "b": "y", "more": 1}], "x": {}}
    assert len(list(faults(links, links, bad))) == 4


def faults(root: Any, schema: Any, value: Any) -> list[str]:
    """Validation by the few keywords that the schemas use (JSON Schema 2020-12)."""
    if "$ref" in schema:
        return faults(root, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value)
    if "anyOf" in schema:
        told = [faults(root, choice, value) for choice in schema["anyOf"]]
        return [] if [] in told else told[0]
    if not of_type(schema.get("type"), value):
        return [f"{value!r} is no {schema['type']}"]
    found = [f"{value!r}"] * (isinstance(value, str) and not re.search(schema.get("pattern", ""), value))
    found += [f"{value!r}"] * ("enum" in schema and value not in schema["enum"])
    found += [f"missing {key}" for key in schema.get("required", ()) if key not in value]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += faults(root, below(schema, key), inner) if below(schema, key) is not None else [f"unknown {key}"]
    if isinstance(value, list):
        found += [fault for item in value for fault in faults(root, schema["items"], item)]
    return found


def below(schema: Any, key: str) -> Any:
    if key in schema.get("properties", {}):
        return schema["properties"][key]
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return inner
    return schema["additionalProperties"] or None if "additionalProperties" in schema else None


def of_type(wanted: str | None, value: Any) -> bool:
    kinds = {"string": str, "array": list, "object": dict, "boolean": bool, "null": type(None), "integer": int}
    if wanted in ("integer", "number") and isinstance(value, bool):
        return False
    return isinstance(value, int | float) if wanted == "number" else wanted is None or isinstance(value, kinds[wanted])
