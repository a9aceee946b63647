"""Containers removed, stopped or changed by hand come back as one op each; what crashed comes back by itself."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import run
from fixtures.boot import kill_all
from fixtures.container import pids
from fixtures.scratch import Scratch, edit, scratch
from specs import naming
from specs.load import DEFAULT_FOLDER


def podman(made: Scratch, *words: str) -> str:
    """The instance's own podman, by its own configuration files, as its owner would ask it."""
    instance = made.instance
    env = {"CONTAINERS_CONF": instance.containers_conf, "CONTAINERS_STORAGE_CONF": instance.home / "storage.conf"}
    argv = ["env", *(f"{key}={value}" for key, value in env.items()), "podman", "--tmpdir", str(instance.podman_tmp)]
    return run.run([*argv, *words])


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
