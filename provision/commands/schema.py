"""schema: write the JSON Schemas for editors."""

from __future__ import annotations

import argparse

from provision.say import Voice
from specs.schema import schemas


def run(options: argparse.Namespace, voice: Voice) -> int:
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (options.folder / f"{name}.json").write_text(text)
        voice.line(f"{options.folder / name}.json")
    return 0
