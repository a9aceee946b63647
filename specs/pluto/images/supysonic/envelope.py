"""What OpenSubsonic adds to each of Subsonic's answers: who the server is (its reference, "Subsonic response")."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

NAMESPACE = "http://subsonic.org/restapi"
ROOT = "subsonic-response"
# formPost: parameters are taken from a posted form as well, so that a password need not stand in an address.
EXTENSIONS = {"formPost": (1,)}


def as_json(body: bytes, about: dict[str, str]) -> bytes:
    """The JSON answer with `about` in it. An answer that is none of Subsonic's stays as it is."""
    said = json.loads(body)
    if not isinstance(said, dict) or ROOT not in said:
        return body
    said[ROOT] = {**said[ROOT], **about, "openSubsonic": True}
    return json.dumps(said, ensure_ascii=False).encode()


def as_xml(body: bytes, about: dict[str, str]) -> bytes:
    """The same for XML."""
    root = ET.fromstring(body)  # noqa: S314 (the server's own answer)
    if root.tag != f"{{{NAMESPACE}}}{ROOT}":
        return body
    ET.register_namespace("", NAMESPACE)
    for name, value in {**about, "openSubsonic": "true"}.items():
        root.set(name, value)
    return ET.tostring(root)


def extensions(version: str, *, xml: bool) -> bytes:
    """The answer to getOpenSubsonicExtensions, before its envelope."""
    if not xml:
        listed = [{"name": name, "versions": list(versions)} for name, versions in EXTENSIONS.items()]
        return json.dumps({ROOT: {"status": "ok", "version": version, "openSubsonicExtensions": listed}}).encode()
    root = ET.Element(ROOT, {"xmlns": NAMESPACE, "status": "ok", "version": version})
    for name, versions in EXTENSIONS.items():
        each = ET.SubElement(root, "openSubsonicExtensions", {"name": name})
        for number in versions:
            ET.SubElement(each, "versions").text = str(number)
    return ET.tostring(root)
