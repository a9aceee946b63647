"""What the invariants are asked of: every test is parametrised from the specs, never from what is there."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from fixtures.estate import estate_of, instance_of
from fixtures.judge.sweep import lanes
from fixtures.judge.workload import containers, defined
from specs.model import Estate
from specs.oracle import pairs
from specs.topology import Kind, nodes

AXES: dict[str, Callable[[Estate], Iterable[Any]]] = {
    "link": lambda estate: estate.wires,
    "node": nodes,
    "isolated": lambda estate: (node for node in nodes(estate) if node.kind is Kind.ISOLATED),
    "tunnelled": lambda estate: (node for node in nodes(estate) if node.tunnel is not None),
    "container": containers,
    "defined": lambda estate: (each for each in containers(estate) if defined(estate, each)),
    "keeper": lambda estate: (
        each for each in containers(estate) if defined(estate, each) and any(mount.exclusive for mount in each.mounts)
    ),
    "pair": pairs,
    "apart": lambda estate: dict.fromkeys(
        (*(node.name for node in nodes(estate)), *(each.name for each in containers(estate) if defined(estate, each)))
    ),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lane" in metafunc.fixturenames:
        config = metafunc.config
        swept = lanes(estate_of(config), instance_of(config))
        metafunc.parametrize("lane", swept, ids=[each.name for each in swept])
    for name in AXES.keys() & set(metafunc.fixturenames):
        values = list(AXES[name](estate_of(metafunc.config)))
        metafunc.parametrize(name, values, ids=map(spelled, values))


def spelled(value: Any) -> str:
    """The id of a test: the thing's own name, `git-web:lbmt-shop` for a pair."""
    if isinstance(value, str):
        return value
    return ":".join(value) if isinstance(value, tuple) else value.name
