"""What an archive holds, and what it must not."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from provision.errors import ApplyError
from provision.image import assemble, tag
from provision.image.assemble import Entry, Kind


def entry(at: str, mode: int = 0o644, content: bytes = b"x") -> Entry:
    return Entry(at=PurePosixPath(at), kind=Kind.FILE, mode=mode, content=content)


class TestAssemble:
    def test_the_same_entries_give_these_very_bytes(self, tmp_path: Path) -> None:
        """If this changes, the same definition gives other bytes: raise tag.MAKER."""
        entries = assemble.layered(assemble.skeleton(), [entry("/srv/b"), entry("/srv/a", 0o755)])
        assemble.write(entries, tmp_path / "one.tar")
        assemble.write(dict(reversed(entries.items())), tmp_path / "two.tar")
        one, two = ((tmp_path / name).read_bytes() for name in ("one.tar", "two.tar"))
        assert one == two
        pinned = "c589d9d02dbc0de4af55ad1284aa79721189aefbbc5419e148f1e7b2063e2ddd"
        assert (tag.MAKER, hashlib.sha256(one).hexdigest()) == (3, pinned)

    def test_all_is_owned_by_root_and_nothing_knows_the_clock(self, tmp_path: Path) -> None:
        assemble.write(assemble.layered([entry("/srv/a", content=b"1"), entry("/srv/b", content=b"2")]), tmp_path / "t")
        with tarfile.open(tmp_path / "t") as tar:
            members = tar.getmembers()
        assert [member.name for member in members] == ["srv", "srv/a", "srv/b"]
        assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
        assert len({member.mtime for member in members}) == 3, "other content, other time stamp"
        assert all(member.mtime < 1_600_000_000 for member in members), "and none in the future"

    def test_an_archive_reads_back_as_it_was(self, tmp_path: Path) -> None:
        entries = assemble.layered(assemble.skeleton(), [entry("/srv/a", 0o755, b"content")])
        assemble.write(entries, tmp_path / "one.tar")
        assemble.write(assemble.layered(assemble.from_archive(tmp_path / "one.tar")), tmp_path / "two.tar")
        assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()

    def test_a_later_layer_replaces_an_earlier_one(self) -> None:
        entries = assemble.layered([entry("/a", content=b"1")], [entry("/a", content=b"2")])
        assert entries[PurePosixPath("/a")].read() == b"2"

    def test_nothing_lies_below_a_link(self) -> None:
        link = Entry(at=PurePosixPath("/bin"), kind=Kind.LINK, target="usr/bin")
        with pytest.raises(ApplyError, match="/bin/x lies below /bin, which is no folder"):
            assemble.layered([link], [entry("/bin/x")])

    @pytest.mark.parametrize(
        ("at", "mode", "told"),
        [
            ("/usr/bin/su", 0o4755, "/usr/bin/su is setuid or setgid"),
            ("/srv/x", 0o2755, "/srv/x is setuid or setgid"),
            ("/usr/bin/apt-get", 0o755, "/usr/bin/apt-get is a package manager"),
            ("/bin/busybox", 0o755, "/bin/busybox is a shell, and image.yaml gives no reason for one"),
        ],
    )
    def test_audit_refuses(self, at: str, mode: int, told: str) -> None:
        problems = assemble.audit(assemble.layered([entry(at, mode)]), shell_declared=False)
        assert len(problems) == 1
        assert problems[0].startswith(told)

    def test_audit_knows_a_declared_shell_and_files_that_only_sound_like_one(self) -> None:
        entries = assemble.layered([entry("/bin/sh", 0o755), entry("/srv/www/apt", 0o644)])
        assert assemble.audit(entries, shell_declared=True) == ()

    def test_a_pipe_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ApplyError, match="/pipe is neither file, folder nor link"):
            list(assemble.from_tree(tmp_path, [PurePosixPath("/pipe")]))
