"""Every port of TCP and UDP between neighbours: `pytest -m sweep`, or `make sweep`; not part of a plain run."""

import pytest

from fixtures.judge import sweep as judge
from fixtures.probe.sweep import Lane, Swept
from fixtures.report.terminal import settle
from specs.model import Estate


@pytest.mark.sweep
def test_sweep(estate: Estate, sweep_seen: tuple[Swept, ...], lane: Lane) -> None:
    settle(judge.swept(estate, lane, sweep_seen))
