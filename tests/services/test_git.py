"""Git by ssh from the laptop, its pages and http clone for a visitor; and who gets nothing of it."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from fixtures import run
from fixtures.netns import inside
from fixtures.ssh import Desk
from fixtures.web import Browser
from specs.instance import Instance

Sit: TypeAlias = Callable[..., Desk]
COMMITS = 3000
BIG = "all work and no play\n" * 150_000  # 3 MB, and cgit shows 2
README = (
    "# Fabric\n\nSee [the file](fabric.json). <script>alert(1)</script> ![a dot](dot.gif) [x](javascript:alert(1))\n"
)
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


@pytest.fixture(scope="module")
def desk(sit: Sit) -> Desk:
    return sit("git-ssh", "git")


@pytest.fixture
def name(desk: Desk) -> Iterator[str]:
    """A name nobody has; the repository of that name is removed in the end, where the test made one."""
    chosen = f"test-{uuid4().hex[:8]}"
    yield chosen
    for each in (chosen, f"private/{chosen}"):
        desk.say("rm", each)


def commit(folder: Path) -> Path:
    """A working tree with one commit: a README and a file whose name has a dot, tagged v1."""
    folder.mkdir()
    (folder / "README.md").write_text(README)
    (folder / "fabric.json").write_text('{"threads": 2}\n')
    (folder / "dot.gif").write_bytes(GIF)
    who = ("-c", "user.name=Liam", "-c", "user.email=liam@lbmt.example")
    for words in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-qm", "Weave"), ("tag", "v1")):
        run.run(("git", "-C", str(folder), *words))
    return folder


def push(desk: Desk, folder: Path, name: str) -> None:
    done = desk.git("-C", str(folder), "push", "-q", f"{desk.where}:{name}", "main", "v1")
    assert done.code == 0, done.stderr


@pytest.fixture
def large(desk: Desk, name: str, tmp_path: Path) -> str:
    """A public repository with a long history, a wide folder and a file that is too big for a page."""
    assert desk.say("mk", name).code == 0
    folder = tmp_path / "large"
    run.run(("git", "init", "-q", "-b", "main", str(folder)))
    run.run(("git", "-C", str(folder), "fast-import", "--quiet"), stdin="".join(history(COMMITS)), timeout=60)
    done = desk.git("-C", str(folder), "push", "-q", f"{desk.where}:{name}", "main")
    assert done.code == 0, done.stderr
    return name


def history(commits: int) -> Iterator[str]:
    """git-fast-import(1)'s stream: so many commits, each with a file more in the folder `wide`; last a big file."""
    for number in range(commits + 1):
        path, content = (f"wide/{number}", f"{number}\n") if number < commits else ("big.txt", BIG)
        who = f"committer Liam <liam@lbmt.example> {1_700_000_000 + number} +0000"
        message = f"Step {number}"
        yield f"commit refs/heads/main\n{who}\ndata {len(message)}\n{message}\n"
        yield f"M 644 inline {path}\ndata {len(content)}\n{content}\n"


@pytest.fixture
def pushed(desk: Desk, name: str, tmp_path: Path) -> str:
    """A public repository with a commit in it."""
    assert desk.say("mk", name).code == 0
    push(desk, commit(tmp_path / "tree"), name)
    return name


def test_words(desk: Desk, name: str) -> None:
    """mk, ls and rm, and that each says no to what makes no sense."""
    assert desk.say("mk", name).code == 0
    assert name in desk.say("ls").stdout.split()
    again = desk.say("mk", name)
    assert (again.code, "there is one of that name already" in again.stderr) == (1, True)
    assert desk.say("rm", name).code == 0
    assert name not in desk.say("ls").stdout.split()
    assert desk.say("rm", name).code == 1


@pytest.mark.parametrize(
    "words",
    [(), ("sh",), ("sh -c id",), ("git-shell",), ("ls; id",), ("ls", "/etc"), ("mk ../../x",), ("mk x y",), ("rm .",),
     ("git-upload-pack '/etc'",), ("git-upload-pack --help",), ("git config -l",), ("mk releases/x",)],
    ids=lambda words: " ".join(words) or "a shell",
)  # fmt: skip
def test_anything_else_is_refused(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.say(*words)
    assert done.code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("git-door: ")


def test_large_files_are_refused_in_words(desk: Desk, pushed: str) -> None:
    """No package has git-lfs-transfer: who asks for it is told, by the name of what is missing."""
    done = desk.say(f"git-lfs-transfer '/{pushed}.git' upload")
    assert (done.code, "this image has no git-lfs-transfer" in done.stderr) == (1, True)


def test_pushed_is_cloned_again(desk: Desk, pushed: str, tmp_path: Path) -> None:
    done = desk.git("clone", "-q", f"{desk.where}:{pushed}", str(tmp_path / "again"))
    assert done.code == 0, done.stderr
    assert (tmp_path / "again/README.md").read_text() == README


def test_pages(visitor: Browser, pushed: str) -> None:
    """The list, the about page out of the README with its HTML harmless, a file whose name has a dot."""
    (row,) = (line for line in visitor.ask("/git/").body.splitlines() if pushed.encode() in line)
    assert b"<span class='age-" in row  # how long nothing was pushed
    about = visitor.ask(f"/git/{pushed}/about/")
    assert about.status == 200
    assert b'<a href="fabric.json">the file</a>' in about.body
    assert b"<script>alert" not in about.body
    for page in ("tree/fabric.json", "plain/fabric.json", "log/", "commit/"):
        assert visitor.ask(f"/git/{pushed}/{page}").status == 200
    assert visitor.ask(f"/git/{pushed}/plain/fabric.json").body == b'{"threads": 2}\n'
    assert b"cgit.cgi" not in visitor.ask(f"/git/{pushed}/").body


def test_pictures_of_a_readme(visitor: Browser, pushed: str) -> None:
    """Beside the about page, as its relative links want it; the control is the JSON, which is no picture."""
    for page in ("about", "plain"):
        answer = visitor.ask(f"/git/{pushed}/{page}/dot.gif")
        assert (answer.body, answer.headers["content-type"].split(";")[0]) == (GIF, "image/gif")
    assert visitor.ask(f"/git/{pushed}/plain/fabric.json").headers["content-type"].startswith("text/plain")


def test_links_of_a_readme_run_no_script(visitor: Browser, pushed: str) -> None:
    """A javascript: link comes through the README's filter; the page says that no script but cgit's own is run."""
    about = visitor.ask(f"/git/{pushed}/about/")
    assert b"javascript:alert" in about.body
    policy = about.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "base-uri 'none'"} <= set(policy)


def test_addresses_are_the_sites(visitor: Browser, pushed: str) -> None:
    """Absolute ones too: the feed is read by programs that may follow no redirect."""
    feed = visitor.ask(f"/git/{pushed}/atom/").body
    assert (b"href='https://" in feed, b"href='http://" in feed) == (True, False)


def test_large_repository(visitor: Browser, large: str) -> None:
    """The tabs answer, page by page; a big file is no page, but is downloaded to its last byte."""
    first, last = visitor.ask(f"/git/{large}/log/"), visitor.ask(f"/git/{large}/log/?ofs={COMMITS - 10}")
    assert b"Step 1<" not in first.body
    assert b"Step 1<" in last.body
    for page in ("", "refs/", "tree/", "tree/wide", "commit/", "diff/", "log/wide/7"):
        assert visitor.ask(f"/git/{large}/{page}").status == 200, page
    assert f">{COMMITS - 1}<".encode() in visitor.ask(f"/git/{large}/tree/wide").body
    shown = visitor.ask(f"/git/{large}/tree/big.txt").body
    assert b"blob size" in shown
    assert len(shown) < len(BIG) // 2
    assert visitor.ask(f"/git/{large}/plain/big.txt").body == BIG.encode()


def test_names_with_dots(desk: Desk, visitor: Browser, name: str, tmp_path: Path) -> None:
    """A repository called like a file is one all the same."""
    dotted = f"{name}.json"
    assert desk.say("mk", dotted).code == 0
    try:
        push(desk, commit(tmp_path / "tree"), dotted)
        assert visitor.ask(f"/git/{dotted}/about/").status == 200
        assert visitor.ask(f"/git/{dotted}/plain/fabric.json").body == b'{"threads": 2}\n'
    finally:
        assert desk.say("rm", dotted).code == 0


def test_nothing_is_pushed_over_http(visitor: Browser, pushed: str) -> None:
    """Reading is served (the control), receiving is not."""
    assert visitor.ask(f"/git/{pushed}/info/refs").status == 200
    assert visitor.ask(f"/git/{pushed}/git-receive-pack", method="POST", body=b"0000").status == 404
    refs = visitor.ask(f"/git/{pushed}/info/refs?service=git-receive-pack")
    assert b"git-receive-pack" not in refs.body


@pytest.mark.parametrize("suffix", ["tar.gz", "zip"])
def test_snapshot_of_a_tag(visitor: Browser, pushed: str, suffix: str) -> None:
    answer = visitor.ask(f"/git/{pushed}/snapshot/{pushed}-v1.{suffix}")
    assert answer.status == 200
    assert answer.body.startswith({"tar.gz": b"\x1f\x8b", "zip": b"PK"}[suffix])


@pytest.mark.parametrize("ending", ["", "/", ".git", ".git/"])
def test_clone_over_http(visitor: Browser, pushed: str, tmp_path: Path, ending: str) -> None:
    """By each spelling that people paste."""
    url = f"https://{visitor.hostname}/git/{pushed}{ending}"
    resolved = f"http.curloptResolve={visitor.hostname}:443:{visitor.address}"
    argv = ("env", f"GIT_SSL_CAINFO={visitor.authority}", "git", "-c", resolved, "clone", "-q", url)
    inside(visitor.netns, lambda: run.run((*argv, str(tmp_path / "clone"))))
    assert (tmp_path / "clone/README.md").read_text() == README


def test_private_is_hidden(desk: Desk, visitor: Browser, name: str, tmp_path: Path) -> None:
    """Its control is the same push under a public name, which test_pages sees."""
    hidden = f"private/{name}"
    assert desk.say("mk", hidden).code == 0
    push(desk, commit(tmp_path / "tree"), hidden)
    assert hidden in desk.say("ls").stdout.split()
    assert name.encode() not in visitor.ask("/git/").body
    for path in (f"{hidden}/", f"{hidden}/HEAD", f"{hidden}.git/HEAD", f"releases/../{hidden}.git/HEAD"):
        assert visitor.ask(f"/git/{path}").status == 404


def test_release_files(visitor: Browser, sit: Sit, instance: Instance, tmp_path: Path) -> None:
    """What the owner puts into the dataset's folder `releases` is listed and downloaded, byte by byte."""
    (tmp_path / "tool.bin").write_bytes(bytes(range(256)) * 64)
    datastore, folder = sit("master-ssh", "master"), f"test-{uuid4().hex[:8]}"
    sent = datastore.rsync("-r", "--mkpath", f"{tmp_path}/", f"{datastore.where}:/master/git/releases/{folder}/")
    assert sent.code == 0, sent.stderr
    try:
        assert b"tool.bin" in visitor.ask(f"/git/releases/{folder}/").body
        for typed in ("/git/releases", f"/git/releases/{folder}"):
            assert visitor.ask(typed).headers["location"] == f"{typed}/"
        answer = visitor.ask(f"/git/releases/{folder}/tool.bin")
        assert (answer.status, answer.body) == (200, (tmp_path / "tool.bin").read_bytes())
        assert answer.headers["content-type"] == "application/octet-stream"
    finally:
        removed = datastore.sftp(f"rm /master/git/releases/{folder}/tool.bin", f"rmdir /master/git/releases/{folder}")
    assert removed.code == 0, removed.stderr


def test_only_the_key_opens(desk: Desk, tmp_path: Path) -> None:
    """Another key, made for the purpose, and no key at all; the control is every other test here."""
    other = tmp_path / "other"
    run.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)))
    argv = tuple(word.replace(str(desk.key), str(other)) for word in desk.ssh)
    denied = desk.do(*argv, desk.where, "ls")
    assert (denied.code, "Permission denied (publickey)" in denied.stderr) == (255, True)


@pytest.mark.parametrize("who", ["phone", "visitor", "reverse-proxy-edge", "git-web"])
def test_nobody_else_gets_there(desk: Desk, place: Callable[[str], Path], who: str) -> None:
    """The laptop's connection is taken (the control), theirs is not."""
    there = (desk.address, desk.port)
    inside(desk.netns, lambda: socket.create_connection(there, timeout=20).close())
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        inside(place(who), lambda: socket.create_connection(there, timeout=0.5).close())
