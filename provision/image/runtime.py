"""A Java runtime of a few modules, linked inside the builder's root filesystem by the packages' own jlink(1).

The family's whole JDK is unpacked there; the image gets what its `keep` names of the linked runtime. The same JDK and
modules give the same bytes: no class data archive is dumped, and a jimage holds no time stamps.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from provision.errors import ApplyError
from provision.image.closure import Tree
from provision.run import run
from specs.model import Jlink

LINK_SECONDS = 300.0
TOOL, MODULES = "/usr/lib/jvm/*/bin/jlink", "/usr/lib/jvm/*/jmods/*.jmod"


def link(root: Path, jlink: Jlink) -> tuple[PurePosixPath, ...]:
    """Link the runtime at `jlink.at` in `root`; return the module files it was made from, for the SBOM.

    Raises ApplyError where the packages bring no jlink or not its modules, CommandError with jlink's own words.
    """
    tree = Tree(root)
    tools, held = _real(tree, TOOL), _real(tree, MODULES)
    if len(tools) != 1 or not held:
        raise ApplyError(f"`jlink` wants one JDK with jlink and jmods among the packages, and there are {len(tools)}")
    (root / "proc").mkdir(exist_ok=True)
    run(argv(root, tools[0], jlink), timeout=LINK_SECONDS)
    return held


def argv(root: Path, tool: PurePosixPath, jlink: Jlink) -> tuple[str, ...]:
    """jlink(1), in the root filesystem, with a /proc of its own: java(1) finds its home by /proc/self/exe."""
    return (
        *("unshare", "--mount", "--pid", "--fork", f"--mount-proc={root / 'proc'}", "chroot", str(root)),
        str(tool),
        f"--add-modules={','.join(jlink.modules)}",
        "--strip-java-debug-attributes",  # native symbols the distribution has stripped itself
        "--no-header-files",
        "--no-man-pages",
        "--compress=zip-6",
        f"--output={jlink.at}",
    )


def _real(tree: Tree, pattern: str) -> tuple[PurePosixPath, ...]:
    """What the pattern matches, each once: Debian's JDK bears a second name, a link."""
    return tuple(sorted({tree.resolve(path)[0] for path in tree.glob(pattern)}))
