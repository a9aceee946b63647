"""Which image archives the state folder holds, and which images an instance's podman has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from provision.run import run

LIST_SECONDS = 30.0


def archives(images: Path) -> frozenset[str]:
    """The stems, <image>-<tag>, of the finished archives in `images` (STATE/images)."""
    return frozenset(path.stem for path in images.glob("*.tar"))


def imported(*, argv: tuple[str, ...], env: Mapping[str, str]) -> frozenset[str]:
    """The references, localhost/<image>:<tag>, of the podman that `argv` and `env` name. Raises CommandError."""
    return parse(run((*argv, "images", "--format", "json"), timeout=LIST_SECONDS, env=env).stdout)


def everywhere(state: Path) -> frozenset[str]:
    """The references that the podman of any instance holds: containers-storage's own lists below STATE are read."""
    lists = sorted(state.glob("*/podman/overlay-images/images.json"))
    return frozenset(
        name for path in lists for image in json.loads(path.read_text()) for name in image.get("names") or []
    )


def parse(text: str) -> frozenset[str]:
    """`podman images --format json` or the API's /libpod/images/json -> every reference."""
    images = json.loads(text) or []
    return frozenset(name for image in images for name in image.get("Names") or image.get("RepoTags") or [])
