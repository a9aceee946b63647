"""git and the datastore: a killed process is back, and answers its client, within 10 s; nobody but conmon acts."""

import http.client
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import run
from fixtures.netns import inside, named
from fixtures.scratch import Scratch
from fixtures.ssh import Desk, trust
from tests.lifecycle.test_containers import pid_of

SECONDS = 10.0


def desk(made: Scratch, container: str, user: str, folder: Path) -> Desk:
    secrets = made.instance.secrets
    (address,) = (str(link.end(container).address) for link in made.estate.links if link.b.node == container)
    host_key = secrets / container / "etc-ssh-host_key"
    known = trust(folder / "known_hosts", address=address, port=2222, host_key=host_key)
    place = named(made.netns("laptop"))
    key = secrets / "people/liam.key"
    return Desk(netns=place, user=user, address=address, port=2222, key=key, trusted=known)


def lists_repositories(made: Scratch, folder: Path) -> bool:
    return desk(made, "git-ssh", "git", folder).say("ls").code == 0


def lists_the_datastore(made: Scratch, folder: Path) -> bool:
    return desk(made, "master-ssh", "master", folder).sftp("ls /master").code == 0


def shows_pages(made: Scratch, folder: Path) -> bool:
    return status(made, "reverse-proxy-edge", "172.16.4.1", 8080, "/git/?p=about") == 200


def asks_for_a_login(made: Scratch, folder: Path) -> bool:
    return status(made, "laptop", "10.1.3.1", 8334, "/") == 200


def says_that_it_is_idle(made: Scratch, folder: Path) -> bool:
    """It has no client: that it runs and waits for a signal is all it does here."""
    return pid_of(made, "master-backup") != 0 and waits(pid_of(made, "master-backup"))


def waits(pid: int) -> bool:
    """Whether the process sleeps, as pause(2) and select(2) do (proc_pid_stat(5))."""
    path = Path(f"/proc/{pid}/stat")
    return path.exists() and path.read_text().rpartition(")")[2].split()[0] == "S"


def status(made: Scratch, client: str, address: str, port: int, path: str) -> int | None:
    """The answer's status as `client` gets it; None when there is no answer."""

    def work() -> int | None:
        asked = http.client.HTTPConnection(address, port, timeout=SECONDS)
        try:
            asked.request("GET", path)
            return asked.getresponse().status
        except OSError:
            return None
        finally:
            asked.close()

    return inside(named(made.netns(client)), work)


CONTAINERS: dict[str, Callable[[Scratch, Path], bool]] = {
    "git-ssh": lists_repositories,
    "git-web": shows_pages,
    "master-ssh": lists_the_datastore,
    "master-explorer-web": asks_for_a_login,
    "master-backup": says_that_it_is_idle,
}


def pids(made: Scratch) -> dict[str, int]:
    return {
        one.name: pid_of(made, one.name)
        for one in made.estate.containers
        if made.estate.image(one.image).pending is None
    }


@pytest.mark.parametrize("container", CONTAINERS)
def test_killed_serves_again(whole: Scratch, container: str, tmp_path: Path) -> None:
    serves = CONTAINERS[container]
    assert serves(whole, tmp_path)
    before = pids(whole)
    assert run.attempt(("pgrep", "-f", str(whole.instance.podman_socket))).code == 1  # no podman service runs
    deadline = time.monotonic() + SECONDS
    os.kill(before[container], signal.SIGKILL)
    while not (serves(whole, tmp_path) and pid_of(whole, container) not in (0, before[container])):
        assert time.monotonic() < deadline, f"{container} did not serve again within {SECONDS} s"
    after = pids(whole)
    assert {name for name in before if before[name] != after[name]} == {container}
    assert whole.plan() == []
