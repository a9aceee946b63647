"""podman's own words, recorded from 4.3.1, and the two files of its secrets."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provision.facts import container, secret
from provision.podman import Podman
from provision.ready import newest_handshake
from specs.instance import Instance

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize("text", ["", "\n", "[]", "null"])
def test_no_containers(text: str) -> None:
    assert container.parse(text) == ()


def test_podman_that_never_ran_is_not_asked(tmp_path: Path) -> None:
    assert container.read(Podman(Instance(name="never", state=tmp_path))) == ()
    assert not list(tmp_path.iterdir())


def test_running() -> None:
    running = container.parse((RECORDED / "podman-ps.json").read_text())
    assert [(c.name, c.node, c.state, c.running, c.pid > 0) for c in running] == [
        ("ctrtest-e.a1", "a1", "running", True, True),
        ("ctrtest-e.a2", "a2", "stopped", False, False),
        ("ctrtest-e.a3", "a3", "created", False, False),
    ]
    assert {c.instance for c in running} == {"ctrtest-e"}
    assert all(len(c.spec or "") == 64 for c in running)
    assert running[0].started is not None
    assert running[0].started > datetime(2020, 1, 1, tzinfo=UTC)
    assert running[2].started is None


def test_after_a_boot() -> None:
    """The runroot is gone: podman knows its containers, and that none of them runs."""
    found = container.parse((RECORDED / "podman-ps-after-boot.json").read_text())
    assert {c.state for c in found} == {"created", "stopped"}
    assert {c.pid for c in found} == {0}


def test_at_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two runs, who is about to start it again bears its id on its command line."""
    monkeypatch.setattr(container, "PROC", tmp_path)
    running, stopped, _ = container.parse((RECORDED / "podman-ps.json").read_text())
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cmdline").write_text(f"podman\0container\0cleanup\0{stopped.id}\0")
    assert not container.at_rest(stopped)
    (tmp_path / "7/cmdline").write_text(f"podman\0container\0cleanup\0{running.id}\0")
    assert container.at_rest(stopped)
    assert not container.at_rest(running)


def test_secrets() -> None:
    names = json.dumps({"secrets": {"a1": {"name": "wg", "id": "a1"}, "b2": {"name": "lost", "id": "b2"}}})
    contents = json.dumps({"a1": base64.b64encode(b"very secret").decode()})
    found = {held.name: held.digest for held in secret.parse(names, contents)}
    assert found == {"wg": secret.digest(b"very secret"), "lost": ""}


def test_no_secrets(tmp_path: Path) -> None:
    assert secret.parse("", "") == ()
    assert secret.read(Instance(name="never", state=tmp_path)) == ()


def test_newest_handshake() -> None:
    answer = "public_key=aa\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\npublic_key=bb\n"
    assert newest_handshake(answer + "last_handshake_time_sec=12\nlast_handshake_time_nsec=500000000\n\n") == 12.5
    assert newest_handshake("errno=0\n\n") == 0.0
