"""The page of visits: goaccess shows what visitors asked for, in a container without any network."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from fixtures.wait import wait
from fixtures.web import Browser
from specs.instance import Instance
from tests.services.conftest import interfaces

SECONDS = 60.0  # the page is made every 15 seconds


def test_report_shows_a_visit(visitor: Browser, instance: Instance) -> None:
    """A page asked for now is in the report a little later (the control: it is not there before)."""
    report = instance.home / "volumes/visit-report/index.html"
    name = uuid4().hex  # not the whole path: the report escapes its slashes
    assert not (report.exists() and name in report.read_text())
    visitor.ask(f"/blog/posts/{name}.html")
    wait(lambda: report.exists() and name in report.read_text(), what=f"{name} in {report}", seconds=SECONDS)


def test_report_is_not_served(visitor: Browser) -> None:
    """The page names addresses: it is for the owner's eyes. No path leads to it; the site's do (the control)."""
    assert visitor.ask("/").status == 200
    for path in ("/out/index.html", "/stats/", "/report.html", "/visit-report/index.html"):
        assert visitor.ask(path).status == 404


def test_reader_of_the_log_has_no_network(place: Callable[[str], Path]) -> None:
    """What reads all visitors' words can tell nobody; the control is the edge that wrote them."""
    assert interfaces(place("reverse-proxy-stats")) == {"lo"}
    assert interfaces(place("reverse-proxy-edge")) > {"lo"}
