"""The README's worked example, taken from its text and done."""

import re
import shutil
from pathlib import Path

from fixtures.netns import named
from fixtures.scratch import scratch
from fixtures.web import Browser
from specs.load import DEFAULT_FOLDER

README = Path(__file__).parents[2] / "README.md"
PAGE = b"<!doctype html><title>notes</title>"


def test_one_more_container(tmp_path: Path) -> None:
    folder = tmp_path / "pluto"
    shutil.copytree(DEFAULT_FOLDER, folder)
    blocks = re.findall(r"```yaml file=(\S+)\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert [name for name, _ in blocks] == ["images/lbmt-notes/image.yaml", "modules/frangisk.yaml", "links.yaml"]
    page = folder / "images/lbmt-notes/www/index.html"
    page.parent.mkdir(parents=True)
    page.write_bytes(PAGE)
    for name, text in blocks:
        with (folder / name).open("a") as file:
            file.write(text)
    with scratch(folder) as made:
        assert "reverse-proxy-edge -> lbmt-notes tcp/8080" in made.document()["reach"]["gained"]
        made.apply()
        site = made.estate.site.hostname
        authority = made.instance.home / "volumes/caddy-data/caddy/pki/authorities/local/root.crt"
        visitor = Browser(
            netns=named(made.netns("visitor")),
            address=str(made.estate.host.address),
            hostname=site,
            authority=authority,
        )
        assert visitor.ask("/notes/").body == PAGE
