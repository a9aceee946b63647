"""Which image archives the state folder holds, and which images an instance's store has.

The store is read as containers-storage itself reads it: overlay-images/images.json, which it replaces whole.
"""

from __future__ import annotations

import json
from pathlib import Path

from specs.instance import Instance

LIST = Path("overlay-images/images.json")


def archives(images: Path) -> frozenset[str]:
    """The stems, <image>-<tag>, of the finished archives in `images` (STATE/images)."""
    return frozenset(path.stem for path in images.glob("*.tar"))


def imported(store: Path) -> frozenset[str]:
    """The references, localhost/<image>:<tag>, of the images in `store`; none where there is none yet."""
    path = store / LIST
    return parse(path.read_text()) if path.exists() else frozenset()


def everywhere(state: Path, *, but: Instance | None = None) -> frozenset[str]:
    """The references that any instance holds, of those whose stores lie below STATE; of all `but` one."""
    stores = [store for store in state.glob("*/store") if but is None or store != but.store]
    return frozenset(name for store in stores for name in imported(store))


def parse(text: str) -> frozenset[str]:
    """Every reference in containers-storage's list."""
    return frozenset(name for image in json.loads(text) or [] for name in image.get("names") or [])
