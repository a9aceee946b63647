"""What the containers of eligius do: repositories by ssh for their owner, and as pages for a visitor."""

from pathlib import Path

from fixtures.scratch import Scratch
from tests.lifecycle.killed import Prepare, Work
from tests.lifecycle.work.browse import page
from tests.lifecycle.work.desk import desk


def lists_repositories(_made: Scratch, folder: Path) -> Work:
    return lambda made: desk(made, "git-ssh", "git", folder).say("ls").code == 0


WORK: dict[str, Prepare] = {"git-ssh": lists_repositories, "git-web": page("/git/?p=about")}
