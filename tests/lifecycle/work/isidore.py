"""What the containers of isidore do: the datastore by sftp and in a browser; and the backup, which waits for ZFS."""

import http.client
from pathlib import Path

from fixtures.container import pid
from fixtures.netns import inside, named
from fixtures.scratch import Scratch
from tests.lifecycle.killed import Prepare, Work
from tests.lifecycle.work.desk import desk

EXPLORER, PORT = "priv-master-explorer-web", 8334


def lists_the_datastore(_made: Scratch, folder: Path) -> Work:
    return lambda made: desk(made, "master-ssh", "master", folder).sftp("ls /master").code == 0


def asks_for_a_login(made: Scratch) -> bool:
    address = str(made.estate.link(EXPLORER).end("master-explorer-web").address)

    def work() -> bool:
        asked = http.client.HTTPConnection(address, PORT, timeout=5)
        try:
            asked.request("GET", "/")
            return asked.getresponse().status == 200
        finally:
            asked.close()

    return inside(named(made.netns("laptop")), work)


def says_that_it_is_idle(made: Scratch) -> bool:
    """It has no client: that it runs and sleeps (proc_pid_stat(5)), as in pause(2), is all it does here."""
    path = Path(f"/proc/{pid(made.instance, 'master-backup')}/stat")
    return path.exists() and path.read_text().rpartition(")")[2].split()[0] == "S"


WORK: dict[str, Prepare] = {
    "master-ssh": lists_the_datastore,
    "master-explorer-web": lambda *_: asks_for_a_login,
    "master-backup": lambda *_: says_that_it_is_idle,
}
