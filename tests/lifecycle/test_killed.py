"""Every container killed, one after the other: its client is served again within 10 s, and no other was touched."""

import socket
from pathlib import Path

import pytest

from fixtures.container import kill, pids
from fixtures.netns import inside, named
from fixtures.scratch import Scratch
from specs import naming
from specs.load import load
from tests.lifecycle.killed import Prepare, dies_and_works_again
from tests.lifecycle.tunnel import in_kernel
from tests.lifecycle.work import akitio, cecilia, eligius, frangisk, isidore, michel

WORK: dict[str, Prepare] = {
    name: prepare
    for module in (akitio, cecilia, eligius, frangisk, isidore, michel)
    for name, prepare in module.WORK.items()
}


def test_no_container_is_left_out() -> None:
    """nas-nfs-ganesha is declared and disabled: tests/lifecycle/test_nfs.py."""
    assert sorted(WORK) == sorted(each.name for each in load().containers)


@pytest.mark.parametrize("name", WORK)
def test_killed_works_again(whole: Scratch, name: str, tmp_path: Path) -> None:
    if name == whole.estate.tunnel.hub and in_kernel(whole):
        assert naming.container(whole.instance.name, name) not in pids(whole.instance)  # nothing that could die
        return
    dies_and_works_again(whole, name, WORK[name](whole, tmp_path))


def test_session_that_was_cut_goes_on(whole: Scratch) -> None:
    """wireguard-go forgets everything when it dies, and what a peer then sends in the old session stays unanswered.

    WireGuard begins a new one 15 s after that (whitepaper, section 6.5: KEEPALIVE_TIMEOUT + REKEY_TIMEOUT). The
    kernel's own has no process that could die: it is only asked.
    """
    address = str(whole.estate.link("priv-navidrome-server").end("navidrome-server").address)
    laptop = named(whole.netns("laptop"))
    inside(laptop, lambda: socket.create_connection((address, 4533), timeout=60).close())
    if not in_kernel(whole):
        kill(whole.instance, whole.estate.tunnel.hub)
    inside(laptop, lambda: socket.create_connection((address, 4533), timeout=60).close())
