"""What a run shows of a hole: the matrix with its letter, and the failing cells' frames."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import TCP
from scapy.utils import PcapNgReader

from fixtures import run
from fixtures.sabotage import HOLES, Hole
from fixtures.scratch import Scratch

PAIR = "reverse-proxy-edge:git-web"


@pytest.fixture
def hole(live: Scratch) -> Iterator[Hole]:
    (found,) = (each for each in HOLES if each.name == "input-accept")
    with found.planted(live):
        yield found


def test_the_matrix_is_shown_and_the_frames_are_kept(live: Scratch, hole: Hole, tmp_path: Path) -> None:
    where = ("--estate", str(live.folder), "--instance", live.instance.name, "--pcap", str(tmp_path))
    argv = (sys.executable, "-m", "pytest", "tests/invariants/test_pairs.py", "-q", "-k", PAIR, *where)
    done = run.attempt(argv, timeout=300)
    assert done.code == 1
    assert f"broken: pair {PAIR}" in done.stdout
    assert "tcp-syn from reverse-proxy-edge.pub-git-web to 172.16.4.1 port 22: accepted at git-web" in done.stdout
    row = next(line for line in done.stdout.splitlines() if " reverse-proxy-edge " in line and "A" in line)
    assert row.count("A") == 1
    (kept,) = tmp_path.glob("*.pcapng")
    with PcapNgReader(str(kept)) as reader:
        frames = list(reader)
    ends = {frame.sniffed_on for frame in frames if TCP in frame and frame[TCP].dport == 22}
    assert {"reverse-proxy-edge.pub-git-web", "git-web.pub-git-web"} <= ends
