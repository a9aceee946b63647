"""The site's visitor, for the work of what stands behind it."""

from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.web import Browser
from tests.lifecycle.killed import Prepare
from tests.services.conftest import browser


def web(made: Scratch, node: str = "visitor") -> Browser:
    return browser(made.estate, made.instance, named(made.netns(node)))


def page(path: str) -> Prepare:
    """Whether a visitor sees the page."""
    return lambda *_: lambda made: web(made).ask(path).status == 200
