"""How the families are asked for packages, and which packages an image is said to hold."""

from __future__ import annotations

from pathlib import Path

from provision.image import bootstrap, packages
from provision.image.packages import Origin, Package
from specs.load import load

GOLDEN = Path(__file__).parent / "golden"


class TestBootstrap:
    def test_alpine_argv(self) -> None:
        argv = bootstrap.alpine_argv(Path("/made"), machine="x86_64", packages=("lighttpd", "ca-certificates-bundle"))
        assert "\n".join(argv) + "\n" == (GOLDEN / "bootstrap-alpine.argv").read_text()

    def test_debian_argv(self) -> None:
        mirrors = (
            bootstrap.Mirror(site="file:/mirror", security=False),
            bootstrap.Mirror(site="file:/security", security=True),
        )
        argv = bootstrap.debian_argv(Path("/a made"), suite="trixie", packages=("haproxy", "s6"), mirrors=mirrors)
        assert "\n".join(argv) + "\n" == (GOLDEN / "bootstrap-debian.argv").read_text()

    def test_indextargets(self) -> None:
        told = "\n".join(
            [
                "Packages|Debian|Debian|file:/mirror",
                "Translations|Debian|Debian|file:/mirror",
                "Packages|Debian|Debian-Security|file:/security",
                "Packages|elsewhere|Debian|file:/third",
            ]
        )
        assert bootstrap.parse_indextargets(told) == (
            bootstrap.Mirror(site="file:/mirror", security=False),
            bootstrap.Mirror(site="file:/security", security=True),
        )

    def test_a_package_files_name(self) -> None:
        found = bootstrap.debian_archive(Path("libacl1_1%3a2.3.2-2+b1_amd64.deb"))
        assert found == ("libacl1", "1:2.3.2-2+b1", "amd64")

    def test_certificates_are_bundled_in_order(self, tmp_path: Path) -> None:
        folder = tmp_path / bootstrap.CERTIFICATES
        folder.mkdir(parents=True)
        (folder / "b.crt").write_text("B\n")
        (folder / "a.crt").write_text("A")
        bootstrap.bundle_certificates(tmp_path)
        assert (tmp_path / bootstrap.BUNDLE).read_text() == "A\nB\n"


class TestPackages:
    def test_apk(self) -> None:
        text = (
            "C:Q1x=\nP:zlib\nV:1.3.1-r2\nA:x86_64\nL:Zlib\nF:lib\nR:libz.so.1\nF:usr/lib\nR:x\n\n"
            "P:a\nV:2\nL:MIT AND ISC\n\n"
        )
        assert packages.parse_apk(text) == (
            (alpine("zlib", "1.3.1-r2", "x86_64", ("Zlib",)), ("/lib/libz.so.1", "/usr/lib/x")),
            (alpine("a", "2", "", ("MIT", "ISC")), ()),
        )

    def test_dpkg_contents(self) -> None:
        text = (
            "drwxr-xr-x root/root         0 2025-01-01 00:00 ./usr/\n"
            "-rwxr-xr-x root/root      1234 2025-01-01 00:00 ./usr/bin/a b\n"
            "lrwxrwxrwx root/root         0 2025-01-01 00:00 ./usr/lib/z.so -> z.so.1\n"
        )
        assert packages.parse_contents(text) == ("/usr/bin/a b", "/usr/lib/z.so")

    def test_copyright(self) -> None:
        text = "Files: *\nLicense: GPL-2+\n text\n\nFiles: x\nLicense: MIT\n\nLicense: GPL-2+\n"
        assert packages.parse_copyright(text) == ("GPL-2+", "MIT")


def alpine(name: str, version: str, architecture: str, licences: tuple[str, ...]) -> Package:
    return Package(
        name=name,
        version=version,
        origin=Origin.ALPINE,
        architecture=architecture,
        licences=licences,
        sha256="",
    )


class TestAlpine:
    """No Alpine mirror is at hand: the lists are what its public package index says."""

    # What Alpine does not have; a stand-in for what it has; what its kernel does itself.
    ONLY_DEBIAN = {"nas-nfs-ganesha", "supysonic", "wireguard"}

    def test_lists(self) -> None:
        lists = {image.name: dict(image.packages)["alpine"] for image in load().images}
        told = "".join(f"{name}: {' '.join(packages)}\n" for name, packages in lists.items() if packages)
        assert told == (GOLDEN / "alpine-packages").read_text()

    def test_every_image_has_one_that_has_debians(self) -> None:
        lists = {image.name: dict(image.packages) for image in load().images}
        assert {name for name, told in lists.items() if told["debian"] and not told["alpine"]} == self.ONLY_DEBIAN
