"""Music for the peers: the OpenSubsonic API, a song to the last byte, and the web client over its own wire."""

import hashlib
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures import container
from fixtures.chromium import Page, page
from fixtures.music import Listener
from fixtures.netns import inside
from fixtures.samples.song import song
from fixtures.wait import wait
from specs.instance import Instance
from specs.model import Estate
from tests.services.conftest import Sit

PEERS = ["laptop", "phone"]
ALBUM, ARTIST, TITLE = "Probe & <Proof>", "The Wires", "A tone"


@pytest.fixture(scope="session")
def password(instance: Instance) -> str:
    return (instance.secrets / "people/liam.password").read_text()


@pytest.fixture
def direct(estate: Estate, place: Callable[[str], Path], password: str) -> Callable[[str], Listener]:
    """The music server's API, asked from a node."""
    address = str(estate.link("priv-navidrome-server").end("navidrome-server").address)
    return lambda node: Listener(netns=place(node), address=address, port=4533, password=password)


@pytest.fixture
def through(estate: Estate, place: Callable[[str], Path], password: str) -> Callable[[str], Listener]:
    """The web client, asked from a node."""
    address = str(estate.link("priv-navidrome-web-client").end("navidrome-web-client").address)
    return lambda node: Listener(netns=place(node), address=address, port=8080, password=password)


@pytest.fixture(scope="module")
def sample(sit: Sit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """A song that the owner has sent into the library from his laptop; it goes when the tests are over."""
    content = song(artist=ARTIST, album=ALBUM, title=TITLE)
    album = tmp_path_factory.mktemp("music") / "probe"
    album.mkdir()
    (album / "tone.flac").write_bytes(content)
    desk, library = sit("master-ssh", "master"), "/master/muzika/library"
    sent = desk.rsync("-r", str(album), f"{desk.where}:{library}/")
    assert sent.code == 0, sent.stderr
    yield content
    removed = desk.sftp(f"rm {library}/probe/tone.flac", f"rmdir {library}/probe")
    assert removed.code == 0, removed.stderr


def names(listener: Listener) -> list[str]:
    return [album["name"] for album in listener.albums()]


@pytest.mark.parametrize("peer", PEERS)
def test_ping(direct: Callable[[str], Listener], peer: str) -> None:
    said = direct(peer).ask("ping")
    assert said["status"] == "ok"
    assert said["openSubsonic"] is True
    assert {"type", "version", "serverVersion"} <= set(said)


@pytest.mark.parametrize("peer", PEERS)
def test_ping_in_xml(direct: Callable[[str], Listener], peer: str) -> None:
    answer = direct(peer).raw("ping", f="xml")
    assert re.search(rb'<subsonic-response xmlns="http://subsonic.org/restapi" [^>]*openSubsonic="true"', answer.body)


def test_extensions_need_no_login(direct: Callable[[str], Listener]) -> None:
    said = json.loads(direct("laptop").get("/rest/getOpenSubsonicExtensions?f=json").body)["subsonic-response"]
    assert {"name": "formPost", "versions": [1]} in said["openSubsonicExtensions"]
    assert said["openSubsonic"] is True


@pytest.mark.parametrize("wrong", [{"p": "wrong"}, {"u": "nobody"}, {"p": ""}], ids=["password", "name", "none"])
def test_no_music_without_the_password(direct: Callable[[str], Listener], wrong: dict[str, str]) -> None:
    said = direct("laptop").ask("getAlbumList2", type="newest", **wrong)
    assert said["status"] == "failed"
    assert said["error"]["code"] == 40
    assert "albumList2" not in said


@pytest.mark.parametrize("way", ["direct", "through"])
@pytest.mark.parametrize("peer", PEERS)
def test_song(request: pytest.FixtureRequest, sample: bytes, way: str, peer: str) -> None:
    """It is found soon after it was put there, and comes as it lies there, by both ways."""
    listener: Listener = request.getfixturevalue(way)(peer)
    wait(lambda: ALBUM in names(listener), what=f"the album {ALBUM} in the list", seconds=15)
    track = listener.track(ALBUM)
    assert (track["title"], track["artist"], track["suffix"]) == (TITLE, ARTIST, "flac")
    streamed = listener.raw("stream", id=track["id"], format="raw")
    assert streamed.status == 200
    assert hashlib.sha256(streamed.body).digest() == hashlib.sha256(sample).digest()


def test_library_is_read_only(direct: Callable[[str], Listener], sample: bytes, instance: Instance) -> None:
    """Its mount, by the kernel's own word."""
    assert direct("laptop").ask("ping")["status"] == "ok"
    lines = Path(f"/proc/{container.pid(instance, 'navidrome-server')}/mounts").read_text().splitlines()
    modes = {fields[1]: fields[3].split(",")[0] for line in lines if (fields := line.split())[1] in ("/music", "/data")}
    assert modes == {"/music": "ro", "/data": "rw"}


@pytest.mark.parametrize("peer", PEERS)
def test_web_client_shows_its_page(through: Callable[[str], Listener], peer: str) -> None:
    page = through(peer).get("/")
    assert page.status == 200
    assert page.kind.startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    parts = re.findall(rb'(?:href|src)="([^"]+)"', page.body)
    assert parts == [b"style.css", b"player.js"]
    assert {through(peer).get(f"/{part.decode()}").status for part in parts} == {200}


def test_web_client_plays_in_a_browser(through: Callable[[str], Listener], sample: bytes) -> None:
    """The page as its visitor has it: a wrong password is told, then the album is listed, its song plays."""
    there = through("laptop")
    wait(lambda: ALBUM in names(there), what=f"the album {ALBUM} in the list", seconds=15)
    with page(there.netns) as browser:
        browser.open(f"http://{there.address}:{there.port}/")
        browser.until("document.readyState === 'complete'")
        log_in(browser, "wrong")
        browser.until("document.querySelector('#said').textContent")
        assert browser.value("document.querySelectorAll('#albums button').length") == 0
        log_in(browser, there.password)
        press(browser, "#albums", f"{ARTIST} \N{EN DASH} {ALBUM}")
        press(browser, "#songs", TITLE)
        browser.until("document.querySelector('#audio').currentTime > 0.2")
        assert browser.value("document.querySelector('#playing').textContent") == f"{ARTIST} \N{EN DASH} {TITLE}"
        assert browser.value("document.querySelector('#said').textContent") == ""


def log_in(browser: Page, password: str) -> None:
    for field, said in (("name", "liam"), ("password", password)):
        browser.value(f"document.querySelector('[name={field}]').select()")
        browser.type(said)
    browser.value("document.querySelector('#login button').click()")


def press(browser: Page, where: str, text: str) -> None:
    """The button of a list that says `text`, once it is there."""
    found = f"[...document.querySelectorAll('{where} button')].find((each) => each.textContent === {json.dumps(text)})"
    browser.until(found)
    browser.value(f"{found}.click()")


def test_web_client_passes_on_the_api_alone(through: Callable[[str], Listener]) -> None:
    """/ping is the server's own (the control asks it there), and is not to be had by the client."""
    assert through("laptop").ask("ping")["status"] == "ok"
    for path in ("/ping", "/rest", "/restless/ping.view", "/%2e%2e/rest/../ping"):
        assert through("laptop").get(path).status in (400, 404), path


def test_web_client_passes_large_questions_on_to_nobody(through: Callable[[str], Listener]) -> None:
    assert through("laptop").get("/rest/ping.view", b"a" * 100_000).status == 413


@pytest.mark.parametrize("node", ["visitor", "reverse-proxy-edge", "router"])
@pytest.mark.parametrize("way", ["direct", "through"])
def test_nobody_else_reaches_it(
    request: pytest.FixtureRequest, place: Callable[[str], Path], way: str, node: str
) -> None:
    """A peer's connection arrives (the control); nobody else's does, although he knows the address."""
    listener: Listener = request.getfixturevalue(way)("laptop")
    asked = (listener.address, listener.port)
    inside(place("laptop"), lambda: socket.create_connection(asked, timeout=5).close())
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        inside(place(node), lambda: socket.create_connection(asked, timeout=0.5).close())


def test_server_opens_nothing_towards_its_client(estate: Estate, place: Callable[[str], Path]) -> None:
    """The wire between the two is asked from one side alone."""
    wire = estate.link("navidrome-server-client")
    server, client = str(wire.end("navidrome-server").address), str(wire.end("navidrome-web-client").address)
    inside(place("navidrome-web-client"), lambda: socket.create_connection((server, 4533), timeout=5).close())
    with pytest.raises(OSError, match=r"timed out|unreachable|not permitted"):
        inside(place("navidrome-server"), lambda: socket.create_connection((client, 8080), timeout=0.5).close())
