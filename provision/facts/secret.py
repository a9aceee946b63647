"""Which secrets an instance's podman holds, by digest: read from the file driver's own two files, no process.

    <root>/secrets/secrets.json                   names and ids
    <root>/secrets/filedriver/secretsdata.json    id -> base64 of the secret
(containers/common, pkg/secrets; the same from podman 3.1 to 5.) The secret itself never leaves `parse`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from specs.instance import Instance


@dataclass(frozen=True, kw_only=True, order=True)
class ActualSecret:
    name: str
    digest: str  # sha256 of the secret; empty when podman lost its data


def read(instance: Instance) -> tuple[ActualSecret, ...]:
    """Every secret of the instance's podman, by name."""
    folder = instance.podman_root / "secrets"
    return parse(_text(folder / "secrets.json"), _text(folder / "filedriver" / "secretsdata.json"))


def parse(names: str, contents: str) -> tuple[ActualSecret, ...]:
    """The texts of the two files; either may be empty."""
    listed = json.loads(names).get("secrets", {}) if names.strip() else {}
    held = json.loads(contents) if contents.strip() else {}
    found = [
        ActualSecret(name=secret["name"], digest=_digest(held[key]) if key in held else "")
        for key, secret in listed.items()
    ]
    return tuple(sorted(found))


def digest(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _digest(encoded: str) -> str:
    return digest(base64.b64decode(encoded))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
