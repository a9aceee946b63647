"""Containers removed, stopped or changed by hand come back as one op each; what crashed comes back by itself."""

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import run
from fixtures.boot import kill_all
from fixtures.container import pids
from fixtures.netns import inside, named
from fixtures.scratch import Scratch, edit, scratch
from specs import naming
from specs.load import DEFAULT_FOLDER


def podman(made: Scratch, *words: str) -> str:
    """The instance's own podman, by its own configuration files, as its owner would ask it."""
    instance = made.instance
    env = {"CONTAINERS_CONF": instance.containers_conf, "CONTAINERS_STORAGE_CONF": instance.home / "storage.conf"}
    argv = ["env", *(f"{key}={value}" for key, value in env.items()), "podman", "--tmpdir", str(instance.podman_tmp)]
    return run.run([*argv, *words])


def pid_of(made: Scratch, container: str) -> int:
    return int(podman(made, "inspect", "--format", "{{.State.Pid}}", naming.container(made.instance.name, container)))


def tunnel_in_kernel(made: Scratch) -> bool:
    """Whether vpn-edge's tunnel is a device of the kernel's own; wireguard-go's is a TUN."""
    (device,) = json.loads(made.ip("vpn-edge", "-json -details link show dev wg0"))
    return bool(device["linkinfo"]["info_kind"] == "wireguard")


def removed(made: Scratch) -> None:
    podman(made, "rm", "--force", "--time", "2", naming.container(made.instance.name, "lbmt-weblog"))


def stopped(made: Scratch) -> None:
    podman(made, "stop", "--time", "2", naming.container(made.instance.name, "lbmt-weblog"))


def file_changed(made: Scratch) -> None:
    rendered(made).write_text("server.port = 1\n")


def file_removed(made: Scratch) -> None:
    rendered(made).unlink()


def secret_file_readable(made: Scratch) -> None:
    (made.instance.secrets / "tunnel" / "hub.key").chmod(0o644)
    for path in made.instance.secrets.glob("vpn-edge/*"):
        path.chmod(0o644)


def rendered(made: Scratch) -> Path:
    (found,) = made.instance.rendered.glob("lbmt-weblog/*lighttpd*")
    return found


@pytest.mark.parametrize(
    ("do", "op"),
    [
        (removed, "+ container lbmt-weblog"),
        (stopped, "~ container lbmt-weblog"),
        (file_changed, "~ file {rendered}"),
        (file_removed, "+ file {rendered}"),
    ],
    ids=["removed", "stopped", "file-changed", "file-removed"],
)
def test_one_op(whole: Scratch, do: Callable[[Scratch], None], op: str) -> None:
    expected = op.format(rendered=rendered(whole))
    do(whole)
    assert whole.plan() == [expected]
    whole.apply()
    assert whole.plan() == []


def test_secrets_are_0600_again(whole: Scratch) -> None:
    secret_file_readable(whole)
    ops = whole.plan()
    assert ops
    assert all(op.startswith("~ secret file ") for op in ops)
    whole.apply()
    assert whole.plan() == []
    assert {path.stat().st_mode & 0o777 for path in whole.instance.secrets.glob("*/*")} == {0o600}


def test_namespace_removed_takes_its_container_along(whole: Scratch) -> None:
    run.run(("ip", "netns", "del", whole.netns("lbmt-weblog")))
    assert {"+ netns lbmt-weblog", "+ container lbmt-weblog", "+ link pub-lbmt-weblog"} <= set(whole.plan())
    whole.apply()
    assert whole.plan() == []


def test_other_containers_run_on(whole: Scratch) -> None:
    """Healing one container restarts no other."""
    before = pids(whole.instance)
    removed(whole)
    whole.apply()
    after = pids(whole.instance)
    assert len(before) > 20
    assert {name for name in before if after.get(name) != before[name]} == {
        naming.container(whole.instance.name, "lbmt-weblog")
    }


@pytest.mark.parametrize("container", ["lbmt-weblog", "reverse-proxy-edge", "reverse-proxy-stream", "vpn-edge"])
def test_killed_comes_back_by_itself(whole: Scratch, container: str) -> None:
    """conmon restarts it, in its namespace with its links, and no provisioner runs for it."""
    if container == "vpn-edge" and tunnel_in_kernel(whole):
        assert naming.container(whole.instance.name, container) not in pids(whole.instance)  # nothing that could die
        return
    pid = pid_of(whole, container)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while (now := pid_of(whole, container)) in (0, pid):
        assert time.monotonic() < deadline, f"{container} was not back within 10 s"
    node = whole.estate.container(container).shares or container
    assert os.stat(f"/proc/{now}/ns/net").st_ino == os.stat(f"/run/netns/{whole.netns(node)}").st_ino  # noqa: PTH116
    assert whole.plan() == []


def test_tunnel_is_back_by_itself(whole: Scratch) -> None:
    """wireguard-go forgets everything when it dies; a peer's next handshake brings the tunnel back.

    The kernel's own has no process that could die: it is only asked.
    """
    if not tunnel_in_kernel(whole):
        os.kill(pid_of(whole, "vpn-edge"), signal.SIGKILL)
    address = str(whole.estate.link("priv-navidrome-server").end("navidrome-server").address)
    peer = named(whole.netns("laptop"))
    inside(peer, lambda: socket.create_connection((address, 4533), timeout=60).close())


def test_names_what_does_not_answer(tmp_path: Path) -> None:
    """A service whose declared check fails: exit 1, its name, what was asked and answered, the end of its log."""
    folder = tmp_path / "pluto"
    shutil.copytree(DEFAULT_FOLDER, folder)
    edit(folder / "modules/frangisk.yaml", r"(get: /blog/, status:) 200", r"\1 418")
    with scratch(folder) as made:
        done = made.pluto("apply", "--yes", "--wait", "3")
        assert done.code == 1
        assert "lbmt-weblog: GET http://172.16.2.1:8080/blog/ does not answer" in done.stderr
        assert "status 200, declared is 418" in done.stderr
        assert "lbmt-darkroom" not in done.stderr
        assert "the end of its log:" in done.stderr


def test_everything_killed_at_once() -> None:
    """conmon and all it watches die together (a crash, an out-of-memory killer, an ended session): apply mends it."""
    with scratch() as made:
        made.apply()
        kill_all(made.instance)
        assert len([op for op in made.plan() if " container " in op]) >= 7
        made.apply()
        assert made.plan() == []
