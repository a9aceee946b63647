"""What the containers of cecilia do: music for a peer who logs in, at the server and through its page."""

from pathlib import Path

from fixtures.music import Listener
from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.wait import wait
from tests.lifecycle.killed import Prepare, Work, tried


def answers(name: str, link: str, port: int) -> Prepare:
    def prepare(made: Scratch, _folder: Path) -> Work:
        phone = Listener(
            netns=named(made.netns("phone")),
            address=str(made.estate.link(link).end(name).address),
            port=port,
            password=(made.instance.secrets / "people/liam.password").read_text(),
        )

        def work(_: Scratch) -> bool:
            return phone.raw("ping").status == 200 and bool(phone.ask("ping")["status"] == "ok")

        # A tunnel that was just made, on a busy machine: the phone's first handshake may be its second try.
        wait(lambda: tried(work, made), what=f"{name} answers the phone before anything is killed", seconds=40)
        return work

    return prepare


WORK: dict[str, Prepare] = {
    "navidrome-server": answers("navidrome-server", "priv-navidrome-server", 4533),
    "navidrome-web-client": answers("navidrome-web-client", "priv-navidrome-web-client", 8080),
}
