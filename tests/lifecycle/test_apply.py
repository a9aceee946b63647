"""apply: idempotent, killed at any moment healed by the next, one at a time, and it asks before it widens reach."""

import fcntl
import signal
import sys
from pathlib import Path

import pytest

from fixtures import run
from fixtures.scratch import Scratch, edit, scratch


def test_second_does_nothing(network: Scratch) -> None:
    assert network.plan() == []
    done = network.pluto("apply", "--yes")
    assert done.code == 0
    assert "nothing to do" in done.stdout


def test_exit_codes(unmade: Scratch) -> None:
    assert unmade.pluto("plan").code == 2
    unmade.apply()
    assert unmade.pluto("plan").code == 0
    assert unmade.pluto("plan", "--nonsense").code == 64
    assert unmade.pluto("plan", "--module", "nonsense").code == 64
    assert unmade.pluto("no-such-command").code == 64
    assert run.attempt((sys.executable, "-m", "provision", "--instance", "../x", "plan")).code == 64


def test_first_line_names_estate_and_profile(network: Scratch) -> None:
    for command in ("plan", "status"):
        first = network.pluto(command).stdout.splitlines()[0]
        assert first.startswith("pluto: estate pluto ")
        assert "profile lab" in first
        assert network.instance.name in first


@pytest.mark.parametrize("after", [1, 10, 24, 35, 46, 60])
def test_killed_is_healed(unmade: Scratch, after: int) -> None:
    """SIGKILL after so many ops; the namespaces half made are what the next apply finds."""
    started = run.start(unmade.argv("apply", "--yes"))
    assert started.stdout is not None
    done = 0
    for line in started.stdout:
        done += line.startswith("  [")
        if done == after:
            break
    started.send_signal(signal.SIGKILL)
    started.communicate()
    assert done == after
    assert unmade.plan() != []
    unmade.apply()
    assert unmade.plan() == []


def test_killed_among_containers_is_healed() -> None:
    with scratch() as made:
        started = run.start(made.argv("apply", "--yes"))
        assert started.stdout is not None
        next(line for line in started.stdout if line.startswith("  [") and "+ container " in line)
        started.send_signal(signal.SIGKILL)
        started.communicate()
        made.apply()
        assert made.plan() == []


def test_leftovers_are_coped_with(unmade: Scratch) -> None:
    """A name without a namespace (a kill between the two), a foreign namespace, and one end of a link."""
    Path(f"/run/netns/{unmade.netns('git-web')}").touch()
    for node in ("git-ssh", "stray"):
        run.run(("ip", "netns", "add", unmade.netns(node)))
    unmade.ip("git-ssh", "link add priv-git-ssh type veth peer name left-over")
    unmade.apply()
    assert unmade.plan() == []


def test_one_at_a_time(network: Scratch) -> None:
    with network.instance.lock.open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for command in (("apply", "--yes"), ("down",)):
            refused = network.pluto(*command)
            assert refused.code == 1
            assert "another process (pid" in refused.stderr
    assert network.pluto("apply", "--yes").code == 0


def test_asks_when_reach_widens(unmade: Scratch) -> None:
    unmade.apply()
    edit(unmade.folder / "links.yaml", r"(a: vpn-edge 10\.1\.1\.0\n.*\n    allow: \[)", r"\1phone -> b tcp/2222, ")
    document = unmade.document()
    assert document["reach"] == {"gained": ["phone -> git-ssh tcp/2222"], "lost": []}
    refused = unmade.pluto("apply")
    assert refused.code == 64
    assert "--yes" in refused.stderr
    assert unmade.document() == document
    unmade.apply()
    edit(unmade.folder / "links.yaml", r"phone -> b tcp/2222, ", "")
    assert unmade.document()["reach"] == {"gained": [], "lost": ["phone -> git-ssh tcp/2222"]}
    assert unmade.pluto("apply").code == 0  # it only narrows
    assert unmade.plan() == []


def test_bad_estate_touches_nothing(network: Scratch, tmp_path: Path) -> None:
    edit(network.folder / "links.yaml", r"a: reverse-proxy-edge 172\.16\.4\.0", "a: reverse-proxy-edgy 172.16.4.0")
    try:
        done = network.pluto("apply", "--yes")
    finally:
        edit(network.folder / "links.yaml", "reverse-proxy-edgy", "reverse-proxy-edge")
    assert done.code == 1
    assert "links.yaml:" in done.stderr
    assert "did you mean `reverse-proxy-edge`?" in done.stderr
    assert network.plan() == []


def test_one_module_alone(unmade: Scratch) -> None:
    unmade.apply()
    unmade.ip("git-web", "link del pub-git-web")
    unmade.ip("lbmt-weblog", "address add 10.9.9.9/32 dev lo")
    assert unmade.pluto("apply", "--yes", "--module", "eligius").code == 0
    assert unmade.plan() == ["- address lbmt-weblog: 10.9.9.9/32"]


def test_yaml_order_is_irrelevant(network: Scratch) -> None:
    """The links' rows, turned round: the same plan, which is none."""
    path = network.folder / "links.yaml"
    text = path.read_text()
    head, _, rows = text.partition("links:\n")
    parts = rows.split("  - name: ")[1:]
    path.write_text(head + "links:\n" + "".join(f"  - name: {part.rstrip()}\n" for part in reversed(parts)))
    try:
        assert network.plan() == []
    finally:
        path.write_text(text)
