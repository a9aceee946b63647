"""Beside the network: abstract sockets, shared files, processes and cgroups of the neighbours."""

from fixtures.judge import apart as judge
from fixtures.probe.matrix import Matrix
from fixtures.report.terminal import settle


def test_apart(matrix: Matrix, apart: str) -> None:
    settle(judge.apart(matrix, apart))
