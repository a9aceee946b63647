"""Scratch estates: one network-only shared by the tests of a module, each of which leaves it as declared."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.scratch import Scratch, bare, scratch


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """The user's estate without its containers, applied."""
    folder: Path = bare(tmp_path_factory.mktemp("estate") / "pluto")
    with scratch(folder) as made:
        made.apply()
        yield made


@pytest.fixture(scope="module")
def whole() -> Iterator[Scratch]:
    """The user's whole estate, applied."""
    with scratch() as made:
        made.apply()
        yield made


@pytest.fixture
def unmade(tmp_path: Path) -> Iterator[Scratch]:
    """The user's estate without its containers, of which nothing is there yet."""
    with scratch(bare(tmp_path / "pluto")) as made:
        yield made
