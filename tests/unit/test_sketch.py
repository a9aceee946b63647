"""One more container, put into YAML as an owner may have written it: nothing else moves, and it loads."""

import shutil
from pathlib import Path
from textwrap import indent

import pytest

from provision import sketch
from provision.__main__ import main
from provision.errors import UsageError
from provision.sketch import Side, Wish
from specs import document
from specs.instance import DEFAULT_FOLDER
from specs.load import load
from specs.model import Estate

NOTES = Wish(name="notes", side=Side.PUBLIC, port=8080, image="lighttpd")
ENTRY = """\
  notes:
    image: lighttpd
    tmpfs: [/tmp]
    web: {path: /notes/, port: 8080}
    health: {connect: 8080}
    limits: {memory: 64M, pids: 32, cpus: 0.5}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "estate"))


def put(tmp_path: Path, text: str, wish: Wish = NOTES) -> str:
    (tmp_path / "m.yaml").write_text(text, newline="")
    return sketch.into_module(text, document.read(tmp_path, "m.yaml"), wish)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("module: m\npurpose: p\n", f"module: m\npurpose: p\ncontainers:\n{ENTRY}"),
        ("module: m\npurpose: p", f"module: m\npurpose: p\ncontainers:\n{ENTRY}"),
        ("module: m\nprospective: true # yet\npurpose: p\n", f"module: m\npurpose: p\ncontainers:\n{ENTRY}"),
        ("containers: # mine\n  one: {image: x} # a\n", f"containers: # mine\n  one: {{image: x}} # a\n\n{ENTRY}"),
        (
            "containers:\n  one:\n    image: x\n    # inside\n\n# of the purpose\npurpose: p\n",
            f"containers:\n  one:\n    image: x\n    # inside\n\n{ENTRY}\n# of the purpose\npurpose: p\n",
        ),
        ("containers:\n    one: {image: x}\n", f"containers:\n    one: {{image: x}}\n\n{indent(ENTRY, '  ')}"),
    ],
    ids=["none yet", "no last line end", "prospective", "comments", "not the last key", "deeper"],
)  # fmt: skip
def test_into_a_module(tmp_path: Path, before: str, after: str) -> None:
    assert put(tmp_path, before) == after
    assert put(tmp_path, before.replace("\n", "\r\n")) == after.replace("\n", "\r\n")


def test_what_is_in_brackets_is_left_to_the_owner(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"m.yaml:2: `containers` is written in brackets"):
        put(tmp_path, "module: m\ncontainers: {one: {image: x}}\n")


def test_next_pair() -> None:
    estate = load()
    assert str(sketch.next_pair(estate, Side.PUBLIC)) == "172.16.7.0/31"
    assert str(sketch.next_pair(estate, Side.PRIVATE)) == "10.1.8.0/31"  # 10.1.7.0 waits for nas-nfs-ganesha


@pytest.mark.parametrize(
    ("words", "gained"),
    [
        (["--on", "public", "--image", "lighttpd"], ["reverse-proxy-edge -> notes tcp/8080"]),
        (["--on", "privat", "--port", "99"], ["laptop -> notes tcp/99", "phone -> notes tcp/99"]),
        (["--on", "private"], ["laptop -> notes tcp/8080", "phone -> notes tcp/8080"]),
    ],
)
def test_the_whole_declaration(folder: Path, words: list[str], gained: list[str]) -> None:
    before, texts = load(folder), said(folder)
    assert main(["--estate", str(folder), "new", "container", "notes", "--module", "genesius", *words]) == 0
    after = load(folder)
    assert sorted(set(map(str, after.flows)) - set(map(str, before.flows))) == gained
    assert names(after) - names(before) == {"notes"}
    assert [link.name for link in after.links if link not in before.links] in (["pub-notes"], ["priv-notes"])
    for file, text in said(folder).items():  # every line of before is there, in its order
        rest = iter(text.splitlines())
        left = [line for line in texts.get(file, "").splitlines() if line not in rest]
        assert left == (["prospective: true"] if file == "modules/genesius.yaml" else [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--image", "lighttpd"], "\nsee `plan`\n"),
        (["--image", "notebook"], "\nimage notebook is new: define images/notebook/image.yaml, then see `plan`\n"),
        ([], "\nimage caddyy is new: define images/caddyy/image.yaml, then see `plan`\n"),
    ],
)
def test_a_new_image_is_told_as_one(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    """The container's own name is no slip, however near another image's is."""
    asked = ["new", "container", "caddyy", "--module", "frangisk", "--on", "public", *words]
    assert main(["--estate", str(folder), *asked]) == 0
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["git-web", "--module", "eligius", "--on", "public"], 64, "declared already"),
        (["notes", "--module", "eligiuss", "--on", "public"], 64, "did you mean `eligius`"),
        (["git", "--module", "eligius", "--on", "public"], 1, "are both served at /git/"),
        (["No_Name", "--module", "eligius", "--on", "public"], 64, "is no name"),
        (["notes", "--module", "eligius", "--on", "public", "--image", "../x"], 64, "is no name"),
        (["notes", "--module", "eligius", "--on", "public", "--image", "lighttpdd"], 64, "did you mean `lighttpd`?"),
        (["wan", "--module", "eligius", "--on", "privat"], 1, "a word of its own"),
    ],
)
def test_what_cannot_be_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    before = said(folder)
    assert main(["--estate", str(folder), "new", "container", *words]) == code
    assert told in capsys.readouterr().err
    assert said(folder) == before


def names(estate: Estate) -> set[str]:
    return {container.name for container in estate.containers}


def said(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.yaml")}


def test_what_would_mean_something_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that goes to a place where it changes a neighbour: here it takes the neighbour's limits along."""
    into = sketch.into_module
    monkeypatch.setattr(sketch, "into_module", lambda *given: into(*given).replace("128M", "129M"))
    before = said(folder)
    asked = ["new", "container", "notes", "--module", "frangisk", "--on", "public"]
    assert main(["--estate", str(folder), *asked]) == 1
    assert said(folder) == before
