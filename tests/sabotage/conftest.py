"""One scratch estate for the holes of a module, each of which leaves it as declared."""

from collections.abc import Iterator

import pytest

from fixtures.scratch import Scratch, bare, edit, scratch


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """The user's network with its tunnel, and no other container: so nobody resolves a whitelist's names."""
    folder = bare(tmp_path_factory.mktemp("estate") / "pluto", but=("wireguard",))
    edit(folder / "lab.yaml", r"(records: \{)[^:]+", r"\1nobody.example")
    with scratch(folder) as made:
        made.apply()
        yield made
