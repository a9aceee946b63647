"""images --refresh and --rollback: the distribution's index, a build and containers are real; what is pretended is that
an image was made long ago: its SBOM, which says which versions it holds, is written back to an older one.

    lighttpd ── lbmt-darkroom, lbmt-weblog        one base and two that stand on it, each a container; the first has no
                                                  health here, so that it answers by staying up
"""

import json
import shutil
import signal
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fixtures import container, netns, run
from fixtures.scratch import Scratch, bare, edit, scratch
from specs.load import DEFAULT_FOLDER

IMAGES = ("lighttpd", "lbmt-darkroom", "lbmt-weblog")
SITES = ("lbmt-darkroom", "lbmt-weblog")
LONG_AGO = "0.0.1-1"
UNREACHABLE = "http://127.0.0.1:9"  # discard: nobody listens on this machine's loopback


@dataclass(frozen=True, kw_only=True)
class Sites:
    """A scratch estate of two sites, and every archive that it brought into the machine's one folder of them."""

    made: Scratch
    stems: set[str] = field(default_factory=set)

    def images(self, *words: str) -> dict[str, dict[str, Any]]:
        document = json.loads(self.made.pluto("images", *IMAGES, "--json", *words).stdout)
        held = {image["image"]: image for image in document["images"]}
        self.stems.update(f"{name}-{image['tag']}" for name, image in held.items())
        return held

    def tags(self) -> dict[str, str]:
        return {name: image["tag"] for name, image in self.images("--offline").items()}

    def archive(self, name: str, suffix: str = "tar", *, tag: str = "") -> Path:
        return self.made.instance.images / f"{name}-{tag or self.tags()[name]}.{suffix}"

    def age(self, package: str) -> None:
        """Let the SBOMs of the images in force say that `package` is of long ago."""
        for name in IMAGES:
            path = self.archive(name, "sbom.json")
            document = json.loads(path.read_text())
            for component in document["components"]:
                if component["name"] == package:
                    component["version"] = LONG_AGO
            path.write_text(json.dumps(document))

    def refresh(self, *words: str) -> run.Done:
        done = self.made.pluto("images", "--refresh", "--yes", *words)
        self.tags()
        return done

    def pids(self) -> dict[str, int]:
        return {name: container.pid(self.made.instance, name) for name in SITES}

    def running(self) -> dict[str, str]:
        """The tag that each site's container runs, as status tells."""
        document = json.loads(self.made.pluto("status", "--json").stdout)
        rows = {row["node"]: row for row in document["nodes"]}
        assert [rows[name]["state"] for name in SITES] == ["running", "running"]
        assert rows["lbmt-weblog"]["health"] == "answers"
        return {name: rows[name]["image"].partition(":")[2] for name in SITES}

    def is_whole(self) -> None:
        """As declared, by plan and by a second apply; each container runs the image that is in force, and answers."""
        assert self.made.plan() == []
        assert "nothing to do" in self.made.pluto("apply", "--yes").stdout
        assert self.running() == {name: self.tags()[name] for name in SITES}


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    """Applied; its images are its own by a path that no other definition has, so that their SBOMs are too."""
    folder = bare(tmp_path / "pluto")
    for name in IMAGES:
        (folder / "images" / name / "image.yaml").write_text(
            (DEFAULT_FOLDER / "images" / name / "image.yaml").read_text()
        )
    edit(folder / "images/lighttpd/image.yaml", r"^writable: \[/tmp\]$", f"writable: [/tmp, /srv/{uuid4().hex}]")
    edit(folder / "modules/frangisk.yaml", r"    health: \{get: /, .*\n", "")
    with scratch(folder) as made:
        found = Sites(made=made)
        try:
            found.tags()
            made.apply()
            yield found
        finally:
            for stem in found.stems:
                for suffix in ("tar", "sbom.json"):
                    (made.instance.images / f"{stem}.{suffix}").unlink(missing_ok=True)


def inodes(made: Scratch) -> list[int]:
    return [netns.named(made.netns(name)).stat().st_ino for name in SITES]


def test_refreshed_and_put_back(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    made, first, places = sites.made, sites.tags(), inodes(sites.made)
    assert made.pluto("images", *IMAGES).code == 0, "just made: nothing is newer"
    assert "nothing to do" in sites.refresh().stdout
    assert "nothing to do" in made.pluto("images", "--rollback", "--yes").stdout

    sites.age("lighttpd")
    shown = made.pluto("images", *IMAGES)
    assert shown.code == 2
    assert f"newer: lighttpd {LONG_AGO} -> 1." in shown.stdout
    for image in sites.images().values():
        assert [(newer["package"], newer["held"]) for newer in image["newer"]] == [("lighttpd", LONG_AGO)]
    with monkeypatch.context() as patched:
        patched.setenv("http_proxy", UNREACHABLE)
        away = made.pluto("images", *IMAGES)
        assert (away.code, "unknown" in away.stdout) == (1, True)
        assert "package index cannot be asked" in away.stderr
        assert made.pluto("images", "--offline").code == 0
        assert sites.refresh().code == 1
    assert made.pluto("images", "--refresh").code == 64, "nobody is there to be asked"
    assert made.pluto("images", "--refresh", "--yes", "lighttp").code == 64
    assert sites.tags() == first

    before = sites.pids()
    done = sites.refresh("lbmt-weblog")
    assert done.code == 0, done
    second = sites.tags()
    assert all(first[name] != second[name] for name in IMAGES), "a base takes along what stands on it"
    assert all(sites.pids()[name] != before[name] for name in SITES)
    assert inodes(made) == places, "the namespaces outlive it"
    sites.is_whole()
    assert made.pluto("images", *IMAGES).code == 0
    assert "nothing to do" in sites.refresh().stdout

    assert made.pluto("images", "--rollback").code == 64
    done = made.pluto("images", "--rollback", "--yes")
    assert done.code == 0, done
    assert sites.tags() == first
    sites.is_whole()
    made.pluto("down")
    made.apply()
    assert sites.tags() == first, "down forgets no refresh"
    assert made.pluto("images", "--rollback", "lighttpd", "--yes").code == 0
    assert sites.tags() == second, "a rollback of the rollback"
    sites.is_whole()

    sites.age("libc6")
    assert sites.refresh().code == 0
    third = sites.tags()
    assert len({tags["lbmt-weblog"] for tags in (first, second, third)}) == 3
    sites.is_whole()
    for name in IMAGES:
        assert not sites.archive(name, tag=first[name]).exists(), "older than the one that is kept"
        assert sites.archive(name, tag=second[name]).exists()
    listed = json.loads((made.instance.store / "overlay-images/images.json").read_text())
    held = {name for image in listed for name in image["names"]}
    assert held == {f"localhost/{name}:{tags[name]}" for name in SITES for tags in (second, third)}


@pytest.mark.parametrize(
    ("broken", "lacks", "told", "logged"),
    [
        ("lbmt-weblog", "var/www/html/blog/index.html", "status 403, declared is 200", "server started"),
        ("lbmt-darkroom", "libpcre2-8.so.0", "lbmt-darkroom to stay up", "error while loading shared libraries"),
    ],
)
def test_one_that_does_not_answer_is_put_back(sites: Sites, broken: str, lacks: str, told: str, logged: str) -> None:
    """A new image without its page, or without a library that its program loads."""
    made, first = sites.made, sites.tags()
    sites.age("lighttpd")
    assert sites.refresh().code == 0
    second = sites.tags()
    assert made.pluto("images", "--rollback", "--yes").code == 0
    made.pluto("down")
    shutil.rmtree(made.instance.store)  # the archives alone are left of the second
    made.apply()
    without(sites.archive(broken, tag=second[broken]), lacks)
    before = sites.pids()
    done = sites.refresh("--wait", "5")
    assert done.code == 1
    tried = SITES[: SITES.index(broken) + 1]
    back = ", ".join(tried)
    assert f"{broken} does not answer from its new image, so the old one is back: {back}" in done.stderr
    assert told in done.stderr
    assert logged in done.stderr.partition("the end of its log:")[2]
    assert sites.tags() == first
    assert {name for name in SITES if sites.pids()[name] != before[name]} == set(tried)
    sites.is_whole()


@pytest.mark.parametrize("moment", ["image lbmt-weblog (tag", "container lbmt-darkroom, made anew"])
def test_killed_is_healed(sites: Sites, moment: str) -> None:
    """In the builds nothing has changed yet; among the containers the next apply replaces the rest."""
    first = sites.tags()
    sites.age("lighttpd")
    started = run.start(sites.made.argv("images", "--refresh", "--yes"))
    assert started.stdout is not None
    assert any(moment in line for line in started.stdout)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    sites.made.apply()
    now = sites.tags()
    assert (now == first) == moment.startswith("image")
    sites.is_whole()
    assert sites.made.pluto("images", "--rollback", "--yes").code == 0
    assert sites.tags() == first
    sites.is_whole()


def test_what_changes_nothing(sites: Sites) -> None:
    """The SBOM is printed alone; a refresh where more than images is to change is refused."""
    made, tag = sites.made, sites.tags()["lbmt-weblog"]
    document = json.loads(made.pluto("images", "--sbom", "lbmt-weblog").stdout)
    assert document["metadata"]["component"] == {
        "type": "container",
        "bom-ref": f"lbmt-weblog:{tag}",
        "name": "lbmt-weblog",
        "version": tag,
    }
    assert any(component["purl"].startswith("pkg:deb/debian/lighttpd@1.") for component in document["components"])
    assert made.pluto("images", "--sbom").code == 64
    pending = made.pluto("images", "--sbom", "caddy")
    assert (pending.code, "pending" in pending.stderr) == (1, True)
    made.ip("lbmt-weblog", "address add 10.9.9.9/32 dev lo")
    refused = sites.refresh()
    assert refused.code == 1
    assert "`apply` first" in refused.stderr
    assert made.plan() == ["- address lbmt-weblog: 10.9.9.9/32"]


def without(archive: Path, name: str) -> None:
    """Rewrite the archive without one of its files."""
    draft = archive.with_suffix(".draft")
    with tarfile.open(archive) as whole, tarfile.open(draft, "w", format=tarfile.GNU_FORMAT) as rest:
        for member in whole:
            if member.name.removeprefix("usr/lib/x86_64-linux-gnu/") != name:
                rest.addfile(member, whole.extractfile(member) if member.isreg() else None)
    draft.replace(archive)
