"""What is sold: goods.json beside this file, a part of the image like the pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("goods.json")


@dataclass(frozen=True)
class Good:
    slug: str  # its name in addresses
    name: str
    text: str
    cents: int  # the price of one
    stock: int  # at first; afterwards the database knows


def goods() -> tuple[Good, ...]:
    return tuple(Good(**each) for each in json.loads(FILE.read_text(encoding="utf-8")))
