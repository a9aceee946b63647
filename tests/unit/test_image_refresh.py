"""Which images are old, which are refreshed together, what is kept, and how the distribution's index is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from provision.errors import ApplyError, NoIndexError
from provision.facts import image as images
from provision.facts import index
from provision.image import epoch, outdated, sbom
from provision.image.bootstrap import Mirror
from provision.image.epoch import Record, Turn
from provision.image.outdated import Newer
from provision.image.packages import Origin, Package
from provision.image.recipe import Family, Recipe, recipe
from provision.prune import stem_of
from provision.refresh import renewals, still_old
from specs.instance import Instance
from specs.load import load

GOLDEN = Path(__file__).parent / "golden"
ESTATE = load()


def package(name: str, version: str, origin: Origin = Origin.DEBIAN) -> Package:
    return Package(name=name, version=version, origin=origin, architecture="amd64", licences=(), sha256="")


def made(name: str, folder: Path, *packages: Package, epochs: Mapping[str, str] | None = None) -> Recipe:
    """The recipe of an image whose SBOM, in `folder`, tells of these packages."""
    found = recipe(ESTATE, name, Family.DEBIAN, epochs or {})
    sbom.write(packages, folder / f"{found.stem}.sbom.json", image=name, tag=found.tag)
    return found


class TestIndex:
    def test_apt_policy(self) -> None:
        assert index.parse_apt((GOLDEN / "apt-cache-policy").read_text()) == {
            "libc6": "2.41-12+deb13u5",
            "lighttpd": "1.4.79-2",
        }

    def test_apk_policy(self) -> None:
        assert index.parse_apk((GOLDEN / "apk-policy").read_text()) == {
            "lighttpd": ("1.4.79-r0", "1.4.82-r0"),
            "musl": ("1.2.5-r10",),
        }

    def test_sources_are_those_of_a_build(self) -> None:
        mirrors = (Mirror(site="file:/mirror", security=False), Mirror(site="file:/security", security=True))
        assert index.sources("trixie", mirrors) == (GOLDEN / "index-sources.list").read_text()
        assert "security" not in index.sources("sid", mirrors)

    def test_apt_keeps_to_its_folder(self) -> None:
        assert "\n".join(index.apt_options(Path("/state"), "sid")) + "\n" == (GOLDEN / "index-apt.argv").read_text()

    def test_what_cannot_be_asked_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("provision.run.SYSTEM_PATH", str(tmp_path))
        with pytest.raises(NoIndexError, match=r"the debian trixie package index cannot be asked: .*apt-get"):
            index.newest(["libc6"], family=Family.DEBIAN, suite="trixie", cache=tmp_path)
        assert index.newest([], family=Family.DEBIAN, suite="trixie", cache=tmp_path) == {}

    def test_a_machine_without_a_mirror_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A fresh one before its first `apt-get update`: apt lists no index, and that is an answer as well."""
        apt = tmp_path / "apt-get"
        apt.write_text("#!/bin/sh\n")
        apt.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("provision.run.SYSTEM_PATH", str(tmp_path))
        with pytest.raises(NoIndexError, match=r"cannot be asked: apt knows no Debian mirror"):
            index.newest(["libc6"], family=Family.DEBIAN, suite="trixie", cache=tmp_path)


class TestOutdated:
    def test_own_is_what_the_base_has_not(self, tmp_path: Path) -> None:
        shared, own = package("libc6", "1"), package("borgbackup", "2")
        made("python", tmp_path, shared)
        made("rcon-client", tmp_path, shared)
        wheel = package("w", "1", Origin.PYPI)
        assert outdated.own(made("minecraft-backup", tmp_path, shared, own, wheel), tmp_path) == {own}

    def test_a_version_that_the_definition_says_is_not_old(self, tmp_path: Path) -> None:
        found = made("haproxy", tmp_path, package("haproxy", "1"))
        pinned = replace(found, image=replace(found.image, packages=(("debian", ("haproxy=1",)),)))
        assert outdated.own(found, tmp_path)
        assert not outdated.own(pinned, tmp_path)

    def test_what_is_not_made_is_not_old(self, tmp_path: Path) -> None:
        assert not outdated.own(recipe(ESTATE, "haproxy", Family.DEBIAN, {}), tmp_path)

    def test_old(self) -> None:
        held = [package("a", "1"), package("b", "2"), package("c", "3")]
        found = outdated.old(held, {"a": "2", "b": "1"}, lambda there, here: there > here)
        assert found == (Newer(package="a", held="1", newest="2"),), "older ones, and ones that are gone, are not newer"

    def test_whole_has_the_bases(self) -> None:
        one, two = (Newer(package=name, held="1", newest="2") for name in ("a", "b"))
        weblog = recipe(ESTATE, "lbmt-weblog", Family.DEBIAN, {})
        assert outdated.whole(weblog, {"lighttpd": (one,), "lbmt-weblog": (two,), "caddy": (two,)}) == (one, two)
        assert [each.name for each in outdated.with_bases([weblog])] == ["lbmt-weblog", "lighttpd"]


class TestRenewals:
    KNOWN = tuple(recipe(ESTATE, name, Family.DEBIAN, {}) for name in ("caddy", "lbmt-weblog", "minecraft-backup"))
    LIGHTTPD, BORG, CADDY = (
        Newer(package=name, held="1", newest="2") for name in ("lighttpd", "borgbackup", "ca-certificates")
    )
    FOUND = {"lighttpd": (LIGHTTPD,), "minecraft-backup": (BORG,), "caddy": (CADDY,)}

    def test_a_group_has_the_epochs_of_its_old_images(self) -> None:
        found = renewals(ESTATE, self.KNOWN, self.FOUND, ())
        assert [(one.group, sorted(one.epochs), one.newer) for one in found] == [
            ("caddy", ["caddy"], (self.CADDY,)),
            ("lighttpd", ["lighttpd"], (self.LIGHTTPD,)),
            ("python", ["minecraft-backup"], (self.BORG,)),
        ]

    def test_a_named_one_takes_its_base_along(self) -> None:
        assert [one.group for one in renewals(ESTATE, self.KNOWN, self.FOUND, ["lbmt-weblog"])] == ["lighttpd"]
        assert renewals(ESTATE, self.KNOWN, self.FOUND, ["haproxy"]) == ()

    def test_one_that_is_old_although_made_anew_is_told(self) -> None:
        assert still_old(self.KNOWN, {}) == ""
        assert still_old(self.KNOWN[1:], {"lighttpd": (self.LIGHTTPD,)}) == "lbmt-weblog: lighttpd 1 -> 2"

    def test_nothing_old(self) -> None:
        assert renewals(ESTATE, self.KNOWN, {}, ()) == ()

    def test_the_epoch_is_of_the_versions(self) -> None:
        assert epoch.name([("a", "1"), ("b", "2")]) == epoch.name([("b", "2"), ("a", "1")])
        assert epoch.name([("a", "1")]) != epoch.name([("a", "2")])

    def test_a_bases_epoch_changes_what_stands_on_it(self) -> None:
        plain, fresh = (recipe(ESTATE, "lbmt-weblog", Family.DEBIAN, epochs) for epochs in ({}, {"lighttpd": "1"}))
        assert plain.tag != fresh.tag
        assert recipe(ESTATE, "lbmt-weblog", Family.DEBIAN, {"caddy": "1"}).tag == plain.tag


class TestRecord:
    def test_refreshed_and_put_back(self) -> None:
        first = Record().refreshed("python", {"python": "1"}).refreshed("caddy", {"caddy": "5"})
        second = first.refreshed("python", {"rcon-client": "2"})
        assert second.epochs == {"python": "1", "rcon-client": "2", "caddy": "5"}
        assert second.put_back("python").epochs == first.epochs
        assert second.put_back("python").put_back("python") == second
        third = second.refreshed("python", {"python": "3"})
        assert [dict(epochs) for epochs in third.turn("python").past] == [{}, {"python": "1"}]
        assert third.at("python", third.turn("python").past[1]).epochs == {"python": "1", "caddy": "5"}
        assert third.tidied().turn("python").past == ()
        with pytest.raises(ValueError, match="nothing is kept of lighttpd"):
            second.put_back("lighttpd")

    def test_reads_back(self, tmp_path: Path) -> None:
        record = Record().refreshed("python", {"python": "1"}).refreshed("python", {"python": "2"})
        assert epoch.read(tmp_path / "epochs.json") == Record()
        epoch.write(record, tmp_path / "epochs.json")
        assert epoch.read(tmp_path / "epochs.json") == record
        assert record.turn("python") == Turn(now={"python": "2"}, before={"python": "1"}, past=({},))
        assert [path.name for path in tmp_path.iterdir()] == ["epochs.json"]

    @pytest.mark.parametrize("text", ["", "[]", '{"groups": {"a": 1}}', '{"groups": {"a": {"now": {}}}}'])
    def test_what_is_none_is_told(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "epochs.json").write_text(text)
        with pytest.raises(ApplyError, match=r"epochs\.json is no record of refreshes: remove it"):
            epoch.read(tmp_path / "epochs.json")


class TestPrune:
    def test_an_archive_bears_its_images_name(self) -> None:
        assert stem_of("localhost/lbmt-shop-backup:0a1b") == "lbmt-shop-backup-0a1b"

    def test_every_instances_images_are_known(self, tmp_path: Path) -> None:
        for instance in ("one", "two"):
            path = tmp_path / instance / "store/overlay-images/images.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps([{"id": "x", "names": [f"localhost/{instance}:1"]}, {"id": "y"}]))
        (tmp_path / "images").mkdir()
        assert images.everywhere(tmp_path) == {"localhost/one:1", "localhost/two:1"}
        assert images.everywhere(tmp_path, but=Instance(name="one", state=tmp_path)) == {"localhost/two:1"}
