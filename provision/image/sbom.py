"""What an image is made of, as a CycloneDX 1.6 document beside its archive, never inside the image.

https://cyclonedx.org/docs/1.6/json/ and, for the package URLs, https://github.com/package-url/purl-spec. The same
packages give the same bytes: no clock, no random serial number.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from provision.errors import ApplyError
from provision.image.packages import Origin, Package

SPEC = "1.6"
ORIGIN = "pluto:origin"  # properties of a component, ours: what `read` wants and a package URL only holds encoded
ARCHITECTURE = "pluto:architecture"


def purl(package: Package) -> str:
    """The package's URL: `pkg:deb/debian/libacl1@2.3.2-2%2Bb1?arch=amd64`."""
    arch = f"?arch={package.architecture}" if package.architecture else ""
    return f"pkg:{package.origin}/{quote(package.name, safe='')}@{quote(package.version, safe=':')}{arch}"


def document(packages: Iterable[Package], *, image: str, tag: str) -> dict[str, Any]:
    components = [_component(package) for package in sorted(set(packages))]
    reference = f"{image}:{tag}"
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([reference, components], sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "pluto"}]},
            "component": {"type": "container", "bom-ref": reference, "name": image, "version": tag},
        },
        "components": components,
    }


def write(packages: Iterable[Package], path: Path, *, image: str, tag: str) -> None:
    path.write_text(json.dumps(document(packages, image=image, tag=tag), indent=1) + "\n")


def read(path: Path) -> tuple[Package, ...]:
    """What `write` wrote. Raises ApplyError for a file that is none of ours."""
    try:
        return tuple(_package(component) for component in json.loads(path.read_text())["components"])
    except (ValueError, KeyError) as error:
        raise ApplyError(f"{path} lists no packages: remove it and the archive beside it, apply again") from error


def _component(package: Package) -> dict[str, Any]:
    address = purl(package)
    # By name, not by SPDX id: a debian/copyright's short names are not all of SPDX's (DEP-5).
    told = {"licenses": [{"license": {"name": name}} for name in package.licences]} if package.licences else {}
    digest = {"hashes": [{"alg": "SHA-256", "content": package.sha256}]} if package.sha256 else {}
    properties = {ORIGIN: str(package.origin), ARCHITECTURE: package.architecture}
    return {
        "type": "library",
        "bom-ref": address,
        "name": package.name,
        "version": package.version,
        **digest,
        **told,
        "purl": address,
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }


def _package(component: dict[str, Any]) -> Package:
    properties = {each["name"]: each["value"] for each in component["properties"]}
    return Package(
        name=component["name"],
        version=component["version"],
        origin=Origin(properties[ORIGIN]),
        architecture=properties[ARCHITECTURE],
        licences=tuple(each["license"]["name"] for each in component.get("licenses", ())),
        sha256=next((each["content"] for each in component.get("hashes", ())), ""),
    )
