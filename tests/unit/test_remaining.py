"""What an apply finds left over: a whitelist's set that follows a moment later is no fault, all else is one at once."""

from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provision.facts.whitelist import Accepted
from provision.op import Op
from provision.ops.element import AddElement, RemoveElement
from provision.ops.file import MakeFolder
from provision.remaining import remaining

ELEMENT = Accepted(name="whitelist-players", address=IPv4Address("203.0.113.3"))
ADD, REMOVE = AddElement(node="edge", element=ELEMENT), RemoveElement(node="edge", element=ELEMENT)
FOLDER = MakeFolder(path=Path("/srv"), owner=1, mode=0o755, seen="")


def looking(*plans: tuple[Op, ...]) -> Callable[[], tuple[Op, ...]]:
    """One plan after the other; asking for more than there are is an error."""
    return iter(plans).__next__


@pytest.mark.parametrize("following", [ADD, REMOVE])
def test_elements_are_looked_at_again(following: Op) -> None:
    assert remaining(looking((following,), (following,), ())) == ()


def test_nothing_else_is() -> None:
    assert remaining(looking(())) == ()
    assert remaining(looking((FOLDER,))) == (FOLDER,)
    assert remaining(looking((ADD, FOLDER))) == (ADD, FOLDER)
    assert remaining(looking((ADD,), (FOLDER,))) == (FOLDER,)


def test_elements_that_do_not_follow_are_told() -> None:
    assert remaining(looking((ADD,)), seconds=0.0) == (ADD,)
