"""Bad estates, each with the exact message. A case in bad/ lies over good/; its delete.txt names what it takes away.

To see a message as it is now: copy good/, lay the case over it, `python -m provision --estate <copy> plan`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from specs.document import MAX_BYTES
from specs.load import load
from specs.model import Profile
from specs.problems import SpecError

GOOD = Path(__file__).parent / "good"
CASES = sorted(path for path in (Path(__file__).parent / "bad").iterdir() if path.is_dir())
ABOUT = ("delete.txt", "expected.txt")


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A copy of the good estate."""
    return shutil.copytree(GOOD, tmp_path / "estate")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new))


def said(estate: Path, profile: Profile = Profile.LAB) -> str:
    with pytest.raises(SpecError) as caught:
        load(estate, profile)
    return str(caught.value)


@pytest.mark.parametrize("profile", Profile)
def test_the_good_estate_loads(profile: Profile) -> None:
    assert load(GOOD, profile).name == "small"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_estate(case: Path, estate: Path) -> None:
    shutil.copytree(case, estate, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*ABOUT))
    gone = case / "delete.txt"
    for name in gone.read_text().split() if gone.exists() else ():
        (estate / name).unlink()
    assert said(estate) + "\n" == (case / "expected.txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_message_has_a_place_and_a_hint(case: Path) -> None:
    lines = (case / "expected.txt").read_text().splitlines()
    for line, hint in zip(lines[::2], lines[1::2], strict=True):
        place, number, text = line.split(":", maxsplit=2)
        assert place
        assert number.isdecimal()
        assert text
        assert hint.startswith("    hint: ")


def test_all_problems_of_a_phase_are_told_at_once(estate: Path) -> None:
    edit(estate / "links.yaml", "b: page 172.16.1.1", "b: paeg 172.16.1.2")
    edit(estate / "estate.yaml", "hub: gate", "hub: gaet")
    edit(estate / "lab.yaml", "phone: {zone: wan, gateway: wan}", "phone: {zone: wan, gateway: wann}")
    edit(estate / "modules" / "back.yaml", "connect: 2222", "connect: 22")  # of the next phase: not told yet
    places = [line.split(": ")[0] for line in said(estate).splitlines()[::2]]
    assert places == ["estate.yaml:4", "lab.yaml:5", "links.yaml:13", "links.yaml:13"]


def test_a_phase_is_told_before_the_next(estate: Path) -> None:
    edit(estate / "links.yaml", "links:", "links: [")
    edit(estate / "estate.yaml", "hub: gate", "hbu: gate")
    assert said(estate).startswith("links.yaml:2: no YAML")
    assert "estate.yaml" not in said(estate)


def test_a_link_may_not_bear_the_uplinks_name(estate: Path) -> None:
    edit(estate / "links.yaml", "name: pub-page", "name: eth0")
    told = "links.yaml:11: link `eth0` would bear the interface name `eth0` of the host's uplink"
    assert told in said(estate, Profile.LAB)
    assert told in said(estate, Profile.METAL)
    assert "duplicate name `eth0`" in said(estate, Profile.LAB)


def test_the_lab_sees_mistakes_in_the_flows_of_metal(estate: Path) -> None:
    edit(estate / "links.yaml", "metal: [b -> wan tcp/443]", "metal: [c -> wan tcp/443]")
    assert said(estate, Profile.LAB) == said(estate, Profile.METAL)


def test_metal_does_not_read_the_lab(estate: Path) -> None:
    (estate / "lab.yaml").write_text("[")
    assert load(estate, Profile.METAL).world.nodes == ()


def test_aliases_and_merge_keys_keep_their_lines(estate: Path) -> None:
    back = estate / "modules" / "back.yaml"
    once = "    stream: 25565\n    limits: {memory: 64M, pids: 16, cpus: 0.5}"
    edit(back, once, "    stream: 25565\n    limits: &small {memory: 64M, pids: 16, cpus: 0.5}")
    edit(
        back,
        "    health: {connect: 2222}\n    limits: {memory: 64M, pids: 16, cpus: 0.5}",
        "    health: {connect: 2222}\n    limits: {<<: *small, pids: 17}",
    )
    assert load(estate).container("vault").limits.pids == 17
    assert load(estate).container("vault").limits.memory == load(estate).container("game").limits.memory
    edit(back, "pids: 17", "pids: 0")
    assert said(estate).startswith("modules/back.yaml:19: `pids` cannot be `0`")
    edit(back, "pids: 0", "pids: 17")
    edit(back, "&small {memory: 64M", "&small {memory: 64K")
    assert said(estate).splitlines()[::2] == ["modules/back.yaml:12: `64K` of memory is out of range"]


def test_aliases_that_multiply_are_refused(estate: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12)]
    (estate / "links.yaml").write_text("\n".join(rows) + "\n")
    assert "aliases make it too large or endless" in said(estate)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "links.yaml:1: is no regular file"),
        (os.mkfifo, "links.yaml:1: is no regular file"),
        (lambda path: path.symlink_to(path.name), "links.yaml:1: cannot be read: Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/proc/self/mem"), "links.yaml:1: cannot be read: Input/output error"),
        (lambda path: path.symlink_to("nowhere"), "links.yaml:1: the file is missing"),
        (lambda path: path.write_text("# big\n" * (MAX_BYTES // 6 + 1)), "links.yaml:1: is larger than"),
        (lambda path: path.write_text("[" * 200_000), "links.yaml:1: is nested deeper than 32 levels"),
        (lambda path: path.write_text("links: " + "9" * 5000), "links.yaml:1: no YAML: Exceeds the limit"),
        (lambda path: path.write_text("links: 2024-13-45"), "links.yaml:1: `links` wants a list"),
    ],
    ids=["folder", "pipe", "loop", "unreadable", "dangling", "huge", "deep", "digits", "date"],
)  # fmt: skip
def test_odd_file(estate: Path, make: object, told: str) -> None:
    path = estate / "links.yaml"
    path.unlink()
    assert callable(make)
    make(path)
    assert said(estate).startswith(told)


@pytest.mark.parametrize("name", ["nowhere", "file", "x" * 300, "a\0b"], ids=["missing", "file", "long", "nul"])
def test_no_such_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    assert "no such folder" in said(tmp_path / name)


def test_a_file_name_too_long_for_the_kernel_is_a_missing_file(estate: Path) -> None:
    edit(estate / "images" / "page" / "image.yaml", "file: www", f"file: {'/'.join(['w' * 255] * 20)}")
    assert "missing file" in said(estate)


def test_what_stands_in_a_message_is_printable_and_short(estate: Path) -> None:
    edit(estate / "estate.yaml", "hostname: small.example", f'hostname: "a\\e[2J\\n{"b" * 500}"')
    text = said(estate)
    assert len(text.splitlines()) == 2
    assert text.replace("\n", "").isprintable()
    assert max(map(len, text.splitlines())) < 120
