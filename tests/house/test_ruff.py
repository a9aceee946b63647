"""ruff has nothing to say: neither about the code nor about its form."""

import sys
from pathlib import Path

import pytest

from tests.house.tree import output

RUFF = str(Path(sys.executable).with_name("ruff"))
COMMANDS = {"check": "check --quiet", "format": "format --check --quiet"}


@pytest.mark.parametrize("command", COMMANDS)
def test_ruff(command: str) -> None:
    said = output([RUFF, *COMMANDS[command].split(), "--no-cache", "--output-format=concise", "."])
    if said:
        pytest.fail(f"mend with `make format`, the rest by hand:\n{said}", pytrace=False)
