"""How the families are asked for packages, and which packages an image is said to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import ApplyError
from provision.image import bootstrap, sbom

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
        assert found == ("libacl1", "1:2.3.2-2+b1")

    def test_certificates_are_bundled_in_order(self, tmp_path: Path) -> None:
        folder = tmp_path / bootstrap.CERTIFICATES
        folder.mkdir(parents=True)
        (folder / "b.crt").write_text("B\n")
        (folder / "a.crt").write_text("A")
        bootstrap.bundle_certificates(tmp_path)
        assert (tmp_path / bootstrap.BUNDLE).read_text() == "A\nB\n"


class TestSbom:
    def test_apk(self) -> None:
        text = "C:Q1x=\nP:zlib\nV:1.3.1-r2\nL:Zlib\nF:lib\nR:libz.so.1\nF:usr/lib\nR:x\n\nP:a\nV:2\nL:MIT AND ISC\n\n"
        assert sbom.parse_apk(text) == (
            (sbom.Package(name="zlib", version="1.3.1-r2", licences=("Zlib",)), ("/lib/libz.so.1", "/usr/lib/x")),
            (sbom.Package(name="a", version="2", licences=("MIT", "ISC")), ()),
        )

    def test_dpkg_contents(self) -> None:
        text = (
            "drwxr-xr-x root/root         0 2025-01-01 00:00 ./usr/\n"
            "-rwxr-xr-x root/root      1234 2025-01-01 00:00 ./usr/bin/a b\n"
            "lrwxrwxrwx root/root         0 2025-01-01 00:00 ./usr/lib/z.so -> z.so.1\n"
        )
        assert sbom.parse_contents(text) == ("/usr/bin/a b", "/usr/lib/z.so")

    def test_copyright(self) -> None:
        text = "Files: *\nLicense: GPL-2+\n text\n\nFiles: x\nLicense: MIT\n\nLicense: GPL-2+\n"
        assert sbom.parse_copyright(text) == ("GPL-2+", "MIT")

    def test_reads_back(self, tmp_path: Path) -> None:
        packages = (sbom.Package(name="a", version="1", licences=("MIT",)),)
        sbom.write(packages, tmp_path / "s.json", image="i", tag="t")
        assert sbom.read(tmp_path / "s.json") == packages

    def test_what_is_none_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "s.json").write_text("{}")
        with pytest.raises(ApplyError, match=r"s\.json lists no packages: remove it and the archive beside it"):
            sbom.read(tmp_path / "s.json")
