"""What a program needs to run, told from ELF files made here."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from provision.errors import ApplyError
from provision.image import closure


def elf(*, needed: Sequence[str] = (), interpreter: str = "", runpath: str = "", machine: int = 62) -> bytes:
    """A 64-bit little-endian ELF with no code: just what a loader reads (elf(5))."""
    strings = b"\0"
    tags: list[tuple[int, int]] = []
    for kind, text in [*((1, name) for name in needed), *([(29, runpath)] if runpath else [])]:
        tags.append((kind, len(strings)))
        strings += text.encode() + b"\0"
    programs = 3 if interpreter else 2
    at_strings = 64 + 56 * programs
    at_interpreter = at_strings + len(strings)
    interp = interpreter.encode() + b"\0" if interpreter else b""
    at_dynamic = at_interpreter + len(interp)
    tags += [(5, at_strings), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *pair) for pair in tags)
    size = at_dynamic + len(dynamic)

    def program(kind: int, at: int, length: int) -> bytes:
        return struct.pack("<IIQQQQQQ", kind, 4, at, at, at, length, length, 1)

    headers = program(1, 0, size) + program(2, at_dynamic, len(dynamic))
    headers += program(3, at_interpreter, len(interp)) if interpreter else b""
    start = b"\x7fELF\x02\x01\x01" + bytes(9)
    start += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, programs, 0, 0, 0)
    return start + headers + strings + interp + dynamic


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A merged-/usr tree as Debian has it: a program, its loader, a library behind a soname link."""
    for name in ("usr/bin", "usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib/own", "etc"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (tmp_path / name).symlink_to(f"usr/{name}")
    libraries = tmp_path / "usr/lib/x86_64-linux-gnu"
    (libraries / "ld-linux-x86-64.so.2").write_bytes(elf())
    (libraries / "libc.so.6").write_bytes(elf(needed=["ld-linux-x86-64.so.2"]))
    (libraries / "libz.so.1.3").write_bytes(elf(needed=["libc.so.6"]))
    (libraries / "libz.so.1").symlink_to("libz.so.1.3")
    (libraries / "libunused.so").write_bytes(elf())
    (tmp_path / "usr/lib64/ld-linux-x86-64.so.2").symlink_to("../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
    program = elf(needed=["libz.so.1"], interpreter="/lib64/ld-linux-x86-64.so.2")
    (tmp_path / "usr/bin/program").write_bytes(program)
    return tmp_path


def kept(root: Path, *paths: str) -> set[str]:
    return {str(path) for path in closure.closure(root, [(PurePosixPath(path), "a test") for path in paths])}


LOADED = {
    "/lib",
    "/lib64",
    "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libz.so.1",
    "/usr/lib/x86_64-linux-gnu/libz.so.1.3",
    "/usr/lib64/ld-linux-x86-64.so.2",
}


class TestClosure:
    def test_a_program_brings_loader_libraries_and_the_links_on_the_way(self, root: Path) -> None:
        assert kept(root, "/bin/program") == LOADED | {"/bin", "/usr/bin/program"}

    def test_a_static_program_brings_nothing(self, root: Path) -> None:
        (root / "usr/bin/static").write_bytes(elf())
        assert kept(root, "/usr/bin/static") == {"/usr/bin/static"}

    def test_a_script_brings_its_interpreter(self, root: Path) -> None:
        (root / "usr/bin/script").write_text("#! /usr/bin/program -x\n")
        assert kept(root, "/usr/bin/script") == {"/usr/bin/script"}  # not executable: nobody starts it by that line
        (root / "usr/bin/script").chmod(0o755)
        assert kept(root, "/usr/bin/script") == LOADED | {"/usr/bin/program", "/usr/bin/script"}

    def test_runpath_and_origin_come_first(self, root: Path) -> None:
        (root / "usr/lib/own/libz.so.1").write_bytes(elf())
        (root / "usr/bin/other").write_bytes(elf(needed=["libz.so.1"], runpath="$ORIGIN/../lib/own"))
        assert kept(root, "/usr/bin/other") == {"/usr/bin/other", "/usr/lib/own/libz.so.1"}

    def test_a_library_of_another_machine_is_passed_over(self, root: Path) -> None:
        (root / "usr/lib/own/libz.so.1").write_bytes(elf(machine=183))
        (root / "usr/bin/other").write_bytes(elf(needed=["libz.so.1"], runpath="/usr/lib/own"))
        assert "/usr/lib/x86_64-linux-gnu/libz.so.1.3" in kept(root, "/usr/bin/other")

    def test_musl_has_folders_of_its_own(self, tmp_path: Path) -> None:
        for name in ("lib", "usr/lib", "usr/bin"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "lib/ld-musl-x86_64.so.1").write_bytes(elf())
        (tmp_path / "lib/libc.musl-x86_64.so.1").symlink_to("ld-musl-x86_64.so.1")
        (tmp_path / "usr/lib/libz.so.1").write_bytes(elf(needed=["libc.musl-x86_64.so.1"]))
        program = elf(needed=["libz.so.1"], interpreter="/lib/ld-musl-x86_64.so.1")
        (tmp_path / "usr/bin/program").write_bytes(program)
        assert kept(tmp_path, "/usr/bin/program") == {
            "/lib/ld-musl-x86_64.so.1",
            "/lib/libc.musl-x86_64.so.1",
            "/usr/bin/program",
            "/usr/lib/libz.so.1",
        }

    def test_a_folder_is_kept_whole(self, root: Path) -> None:
        (root / "etc/deep").mkdir()
        (root / "etc/deep/file").write_text("x")
        assert kept(root, "/etc") == {"/etc", "/etc/deep", "/etc/deep/file"}

    def test_a_missing_library_is_told_with_who_loads_it(self, root: Path) -> None:
        (root / "usr/lib/x86_64-linux-gnu/libz.so.1").unlink()
        with pytest.raises(ApplyError, match=r"/usr/bin/program loads libz\.so\.1, which no package has"):
            kept(root, "/usr/bin/program")

    def test_a_missing_program_is_told_with_who_wants_it(self, root: Path) -> None:
        with pytest.raises(ApplyError, match="/usr/bin/absent is not in the packages, and a test wants it"):
            kept(root, "/usr/bin/absent")

    def test_links_never_lead_out_of_the_tree(self, root: Path) -> None:
        (root / "usr/bin/out").symlink_to("/etc/inside")
        (root / "etc/inside").write_text("x")
        (root / "usr/bin/up").symlink_to("../../../../../../etc/inside")
        assert kept(root, "/usr/bin/out", "/usr/bin/up") == {"/etc/inside", "/usr/bin/out", "/usr/bin/up"}

    def test_a_ring_of_links_ends(self, root: Path) -> None:
        (root / "etc/a").symlink_to("b")
        (root / "etc/b").symlink_to("a")
        with pytest.raises(ApplyError, match="/etc/a is not in the packages"):
            kept(root, "/etc/a")

    def test_glob_crosses_no_slash_and_follows_links(self, root: Path) -> None:
        found = [str(path) for path in closure.Tree(root).glob("/lib/*/libz.so*")]
        assert found == ["/lib/x86_64-linux-gnu/libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1.3"]
        assert not list(closure.Tree(root).glob("/usr/*z*"))
