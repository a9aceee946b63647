"""A family's packages -> a root filesystem in a folder, by the family's own bootstrapper and signed archives.

No maintainer script is run, so what such scripts make is made here or in assemble: the bundle of CA certificates,
passwd, group.
"""

from __future__ import annotations

import platform
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from provision.errors import HostError
from provision.image.recipe import Family
from provision.run import run

BOOTSTRAP_SECONDS = 600.0  # a slow mirror, not a hang
HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CERTIFICATES = Path("usr/share/ca-certificates/mozilla")
BUNDLE = Path("etc/ssl/certs/ca-certificates.crt")
SID = "sid"  # no security archive; a mirror that stands still outlives its Valid-Until, the signature holds
INDEX_FORMAT = "$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(SITE)"


@dataclass(frozen=True, kw_only=True, order=True)
class Mirror:
    """Where the machine itself gets its Debian packages from (sources.list(5))."""

    site: str
    security: bool

    def line(self, suite: str, options: str = "") -> str:
        return f"deb {options}{self.site} {suite}{'-security' if self.security else ''} main contrib"


def bootstrap(folder: Path, *, family: Family, suite: str, packages: tuple[str, ...]) -> None:
    """Unpack `packages` and all they depend on into `folder`. Raises CommandError, HostError.

    Debian's packages themselves stay in var/cache/apt/archives: sbom reads them, assemble takes nothing from there.
    """
    match family:
        case Family.DEBIAN:
            argv = debian_argv(folder, suite=suite, packages=packages, mirrors=debian_mirrors())
        case Family.ALPINE:
            argv = alpine_argv(folder, machine=platform.machine(), packages=packages)
        case _:
            assert_never(family)
    run(argv, timeout=BOOTSTRAP_SECONDS, env={"SOURCE_DATE_EPOCH": "0"})
    bundle_certificates(folder)


def debian_argv(folder: Path, *, suite: str, packages: tuple[str, ...], mirrors: tuple[Mirror, ...]) -> tuple[str, ...]:
    """mmdebstrap(1): `extract` unpacks and configures nothing."""
    return (
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=extract",
        "--format=directory",
        f"--hook-dir={HOOKS}",
        f"--keyring={KEYRING}",
        f"--include={','.join(packages)}",
        "--skip=cleanup/apt/cache",  # the packages, for the SBOM
        *(('--aptopt=Acquire::Check-Valid-Until "false"',) if suite == SID else ()),
        f"--setup-hook=chmod 0755 {shlex.quote(str(folder))}",
        suite,
        str(folder),
        *(mirror.line(suite) for mirror in serving(suite, mirrors)),
    )


def alpine_argv(folder: Path, *, machine: str, packages: tuple[str, ...]) -> tuple[str, ...]:
    """apk(8), as apk 2.14 and apk 3 both take it."""
    return (
        *alpine_root(folder, machine=machine),
        "--no-cache",
        "--quiet",
        "add",
        "--initdb",
        "--no-scripts",
        *packages,
    )


def alpine_root(folder: Path, *, machine: str) -> tuple[str, ...]:
    """apk(8) on a root filesystem of its own, with the host's keys and repositories."""
    return (
        "apk",
        *("--root", str(folder)),
        *("--arch", machine),
        *("--keys-dir", "/etc/apk/keys"),
        *("--repositories-file", "/etc/apk/repositories"),
    )


def debian_mirrors() -> tuple[Mirror, ...]:
    """The mirrors of the machine's own apt configuration. Raises HostError when it names none of Debian's."""
    mirrors = parse_indextargets(run(("apt-get", "indextargets", "--format", INDEX_FORMAT), timeout=30).stdout)
    if not any(not mirror.security for mirror in mirrors):
        raise HostError(
            "apt knows no Debian mirror, so images cannot be made: name one in /etc/apt/sources.list(.d), "
            "then run apt-get update"
        )
    return mirrors


def serving(suite: str, mirrors: tuple[Mirror, ...]) -> tuple[Mirror, ...]:
    """Those of the mirrors that have the suite."""
    return tuple(mirror for mirror in mirrors if not (suite == SID and mirror.security))


def parse_indextargets(text: str) -> tuple[Mirror, ...]:
    """`apt-get indextargets` in INDEX_FORMAT -> the mirrors of Debian proper and of its security updates."""
    found = set()
    for line in text.splitlines():
        made_by, origin, label, site = line.split("|")
        if made_by == "Packages" and origin == "Debian" and label in ("Debian", "Debian-Security"):
            found.add(Mirror(site=site, security=label == "Debian-Security"))
    plain = sorted(mirror for mirror in found if not mirror.security)
    return (*plain[:1], *sorted(mirror for mirror in found if mirror.security)[:1])


def bundle_certificates(folder: Path) -> None:
    """What update-ca-certificates(8) makes of the ca-certificates package: all of Mozilla's, one after another."""
    if (folder / BUNDLE).exists() or not (folder / CERTIFICATES).is_dir():
        return
    (folder / BUNDLE).parent.mkdir(parents=True, exist_ok=True)
    texts = [path.read_text().strip() for path in sorted((folder / CERTIFICATES).glob("*.crt"))]
    (folder / BUNDLE).write_text("\n".join(texts) + "\n")


def debian_archive(path: Path) -> tuple[str, str, str]:
    """Name, version and architecture of a package by its file's name, as apt writes it: `acl_1%3a2.3-1_amd64.deb`."""
    name, version, architecture = path.stem.split("_", 2)
    return name, re.sub("%([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), version), architecture
