"""nas-nfs-ganesha, enabled in a copy of the estate: the laptop mounts the datastore, and nobody else gets there."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from fixtures import run
from fixtures.judge.everything import everything
from fixtures.netns import inside, named
from fixtures.observe.capture import capture
from fixtures.run import Done
from fixtures.scratch import Scratch, bare, edit, scratch
from fixtures.verdict import against
from tests.lifecycle.killed import dies_and_works_again

NAME = "nas-nfs-ganesha"
PORT = 2049


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """The estate with the tunnel and NFS alone at work; what an owner changes is two words."""
    folder = bare(tmp_path_factory.mktemp("estate") / "pluto", but=("wireguard", NAME))
    edit(folder / "modules/isidore.yaml", r"    enabled: false +#.*\n", "")
    edit(folder / "links.yaml", r"    enabled: false +#.*\n", "")
    with scratch(folder) as found:
        found.apply()
        yield found


@pytest.fixture
def datastore(made: Scratch) -> Path:
    """The datastore's folder on the machine."""
    return made.instance.bind(PurePosixPath("/zfs/storage"))


def nfs(made: Scratch, program: str, *words: str, node: str = "laptop", seconds: float = 30.0) -> Done:
    """A program of libnfs at a node; `@/letter` is a file of the datastore."""
    there = f"nfs://{address(made)}/master"
    said = (f"{there}{word[1:]}?version=4" if word.startswith("@") else word for word in words)
    argv = (program, *said)
    return inside(named(made.netns(node)), lambda: run.attempt(argv, timeout=seconds))


def address(made: Scratch) -> str:
    return str(made.estate.link(f"priv-{NAME}").end(NAME).address)


def test_reads_what_the_owner_has(made: Scratch, datastore: Path, tmp_path: Path) -> None:
    owner = made.estate.container(NAME).owner
    assert owner is not None
    content = os.urandom(3_000_000)
    (datastore / "photo").write_bytes(content)
    (datastore / "photo").chmod(0o600)
    os.chown(datastore / "photo", owner, owner)
    done = nfs(made, "nfs-cp", "@/photo", str(tmp_path / "photo"))
    assert done.code == 0, done.stderr
    assert (tmp_path / "photo").read_bytes() == content
    assert "photo" in nfs(made, "nfs-ls", "@/").stdout


def test_what_it_writes_is_the_owners(made: Scratch, datastore: Path, tmp_path: Path) -> None:
    """A small file: libnfs 4.0.0 itself gives up at 4 KiB and more by NFS 4, before it sends anything."""
    owner = made.estate.container(NAME).owner
    (tmp_path / "letter").write_text("dear liam\n" * 50)
    done = nfs(made, "nfs-cp", str(tmp_path / "letter"), "@/letter")
    assert done.code == 0, done.stderr
    found = (datastore / "letter").stat()
    assert (found.st_uid, found.st_gid) == (owner, owner)
    assert (datastore / "letter").read_text() == "dear liam\n" * 50


def test_a_strangers_file_stays_closed(made: Scratch, datastore: Path) -> None:
    """Of another uid, for that one alone: CAP_DAC_READ_SEARCH of the process is not lent to a client.

    In a folder of its own, which ganesha cannot list then: it asks for every file's attributes by opening it.
    """
    (datastore / "kept").mkdir()
    (datastore / "kept/diary").write_text("not yours\n")
    (datastore / "kept/diary").chmod(0o600)
    os.chown(datastore / "kept/diary", 1234, 1234)
    assert "not yours" not in nfs(made, "nfs-cat", "@/kept/diary").stdout
    assert lists_the_datastore(made)


@pytest.mark.parametrize("node", ["phone", "visitor", "router", "reverse-proxy-edge"])
def test_nobody_else_gets_there(made: Scratch, node: str) -> None:
    """The laptop's connection is taken (the control), theirs is not."""
    there = (address(made), PORT)
    inside(named(made.netns("laptop")), lambda: socket.create_connection(there, timeout=20).close())
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        inside(named(made.netns(node)), lambda: socket.create_connection(there, timeout=0.5).close())


def test_is_as_declared(made: Scratch) -> None:
    """Every judge on the whole scratch estate: the waiver, the mounts, the listeners, and the rest of it."""
    evidence = capture(made.estate, made.instance, ignore=os.getpid())
    assert evidence.container(f"{made.instance.name}.{NAME}") is not None
    assert against(everything(evidence, made.estate, made.instance)) == ()
    assert made.plan() == []


def test_killed_is_back(made: Scratch) -> None:
    dies_and_works_again(made, NAME, lists_the_datastore)


def lists_the_datastore(made: Scratch) -> bool:
    """A question that comes while the server starts may stay without an answer: then another is asked."""
    try:
        return nfs(made, "nfs-ls", "@/", seconds=1).code == 0
    except run.Failed:
        return False
