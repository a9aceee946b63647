"""cecilia: a killed process is back, and answers a peer who logs in, within 10 s; nobody but conmon acts."""

import http.client

import pytest

from fixtures.music import Listener
from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.wait import wait
from tests.lifecycle.killed import dies_and_works_again

CONTAINERS = {  # container -> its link to the peers, and its port
    "navidrome-server": ("priv-navidrome-server", 4533),
    "navidrome-web-client": ("priv-navidrome-web-client", 8080),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_killed_serves_again(whole: Scratch, name: str) -> None:
    link, port = CONTAINERS[name]
    phone = Listener(
        netns=named(whole.netns("phone")),
        address=str(whole.estate.link(link).end(name).address),
        port=port,
        password=(whole.instance.secrets / "people/liam.password").read_text(),
    )

    def answers(_: Scratch) -> bool:
        try:
            return phone.raw("ping").status == 200 and phone.ask("ping")["status"] == "ok"
        except (OSError, http.client.HTTPException):
            return False

    # A tunnel that was just made, on a busy machine: the phone's first handshake may be its second try.
    wait(lambda: answers(whole), what=f"{name} answers the phone before anything is killed", seconds=40)
    dies_and_works_again(whole, name, answers)
