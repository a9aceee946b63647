#!/usr/bin/python3 -IS
"""The login shell of `git`: git's own services, and three words for the owner. Nothing else is run, by no shell.

    git-upload-pack, git-receive-pack, git-upload-archive '<repo>'     clone and fetch, push, archive
    git-lfs-transfer '<repo>' upload|download                          large files, where the image has that program
    ls                                                                 every repository
    mk <repo>                                                          a new one, empty and bare
    rm <repo>                                                          remove it, for good

A repository is `dots`, or `tools/dots` in a folder; a `.git` at its end and a slash before it mean nothing. What lies
in `private/` bears no mark git-daemon-export-ok(1), without which git-web does not show a repository.
sshd runs `git-door -c <command>`; what becomes git does so in this process's place.
"""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path("/home/git/repos")
GIT = "/usr/bin/git"
LFS = Path("/usr/bin/git-lfs-transfer")
SERVICES = ("git-upload-pack", "git-receive-pack", "git-upload-archive")
PRIVATE = "private"
RELEASES = "releases"  # release files, which git-web serves as they are
EXPORTED = "git-daemon-export-ok"
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")
DEPTH = 3
BRANCH = "main"
AGE = "info/web/last-modified"


class Refused(Exception):
    """What was asked for is not done here; the text says why."""


def main(argv: Sequence[str]) -> int:
    """Do what sshd was asked for. The exit code is 0, or 1 with a line on stderr; git's services never return."""
    try:
        act(parse(asked(argv)))
    except (Refused, OSError) as error:
        print(f"git-door: {error}", file=sys.stderr)
        return 1
    return 0


def asked(argv: Sequence[str]) -> str:
    """The command sshd hands over. Raises Refused where there is none: somebody wants a shell."""
    if len(argv) != 3 or argv[1] != "-c":
        raise Refused("there is no shell here: clone, push, or say ls, mk <repo>, rm <repo>")
    return argv[2]


def parse(command: str) -> tuple[str, ...]:
    """The verb and its repository. Raises Refused for anything but the forms above."""
    verb, _, rest = command.strip().partition(" ")
    if verb == "git":  # `git upload-pack` is another spelling of git's own (git-upload-pack(1))
        service, _, rest = rest.strip().partition(" ")
        verb = f"git-{service}"
    words = tuple(word.removeprefix("'").removesuffix("'") for word in rest.split())
    if verb in SERVICES and len(words) == 1:
        return verb, words[0]
    if verb == LFS.name and words[1:] in (("upload",), ("download",)):
        return verb, *words
    if (verb, len(words)) in {("ls", 0), ("mk", 1), ("rm", 1)}:
        return verb, *words
    raise Refused(f"{verb!r} is not known here, or not so: ls, mk <repo>, rm <repo>, and git's own services")


def place(name: str, root: Path = ROOT) -> Path:
    """Where the repository `name` lies, whether it is there or not. Raises Refused for a name that leads elsewhere."""
    parts = name.removeprefix("/").removesuffix("/").removesuffix(".git").split("/")
    if not 1 <= len(parts) <= DEPTH or not all(PART.fullmatch(part) and not part.endswith(".git") for part in parts):
        raise Refused(f"{name!r} is no name of a repository: letters, digits, dots and dashes, such as tools/dots")
    if parts[0] == RELEASES or parts == [PRIVATE]:
        raise Refused(f"{parts[0]!r} is a folder of its own: choose another name")
    path = root.joinpath(*parts[:-1], f"{parts[-1]}.git")
    if path.resolve() != root.resolve() / path.relative_to(root):
        raise Refused(f"{name!r} goes through a link")
    return path


def act(words: tuple[str, ...], root: Path = ROOT) -> None:
    """Raises Refused and OSError; does not return where git takes over."""
    match words:
        case ("ls",):
            for name in listed(root):
                print(name)
        case ("mk", name):
            make(place(name, root), public=PRIVATE not in place(name, root).relative_to(root).parts)
        case ("rm", name):
            remove(there(name, root))
        case (LFS.name, name, operation):
            transfer(there(name, root), operation)
        case (service, name):
            path = there(name, root)
            if service == "git-receive-pack":
                note_push(path)
            become(service.removeprefix("git-"), *(["--strict"] if service == "git-upload-pack" else []), path)


def there(name: str, root: Path) -> Path:
    path = place(name, root)
    if not (path / "HEAD").is_file():
        raise Refused(f"there is no repository {name!r}: mk makes one, ls tells what there is")
    return path


def listed(root: Path) -> Iterator[str]:
    """The names of all repositories, sorted."""
    for depth in range(DEPTH):
        for path in sorted(root.glob("*/" * depth + "*.git")):
            if (path / "HEAD").is_file():
                yield path.relative_to(root).as_posix().removesuffix(".git")


def make(path: Path, *, public: bool) -> None:
    """A bare repository, with the mark that shows it to everybody where it is public."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError as error:
        raise Refused("there is one of that name already") from error
    if public:
        (path / EXPORTED).touch()
    become("init", "--bare", "--quiet", "--template=", f"--initial-branch={BRANCH}", path)


def remove(path: Path) -> None:
    """Out of the way first, in one step: nobody meets a half removed repository."""
    gone = path.with_name(f".{path.name}.{os.getpid()}.gone")
    path.rename(gone)
    for folder, folders, files in os.walk(gone, topdown=False):  # links are not followed
        for name in files:
            Path(folder, name).unlink()
        for name in folders:
            inner = Path(folder, name)
            inner.unlink() if inner.is_symlink() else inner.rmdir()
    gone.rmdir()


def note_push(path: Path) -> None:
    """When it was last pushed to, for cgit's list (cgitrc(5), agefile); it would look for a branch `master` else."""
    noted = path / AGE
    noted.parent.mkdir(parents=True, exist_ok=True)
    noted.write_text(time.strftime("%Y-%m-%d %H:%M:%S +0000\n", time.gmtime()))


def transfer(path: Path, operation: str) -> NoReturn:
    """Large files over ssh. Raises Refused where the image lacks the program."""
    if not LFS.exists():
        raise Refused(f"large files are not taken here: this image has no {LFS.name}")
    turn_into(LFS, path, operation)


def become(service: str, *arguments: str | Path) -> NoReturn:
    turn_into(Path(GIT), service, *arguments)


def turn_into(program: Path, *arguments: str | Path) -> NoReturn:
    """In this process's place. Its environment is ours alone: nothing a client sends decides what it does."""
    keep = {key: os.environ[key] for key in ("GIT_PROTOCOL", "HOME") if key in os.environ}
    os.execve(  # noqa: S606 - no shell is the point
        program, (program.name, *map(str, arguments)), {"PATH": "/usr/bin", **keep}
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv))
