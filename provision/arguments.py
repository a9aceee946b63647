"""The command line's words; what stands behind a verb is provision/commands/<verb>.py, loaded when it is asked for."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import NoReturn

from specs.instance import DEFAULT_FOLDER
from specs.model import Port, Profile, Protocol

USAGE = 64  # sysexits.h, EX_USAGE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def parser(epilog: str) -> argparse.ArgumentParser:
    """The whole parser; it puts the verb into `command`."""
    made = _Parser(prog="pluto", description="Make an estate from its declaration.", epilog=epilog)
    made.add_argument(
        "--estate",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="DIR",
        help="the declaration (default: the one in specs/pluto)",
    )
    made.add_argument("--instance", metavar="NAME", help="which realisation of it (default: the estate's own name)")
    made.add_argument(
        "--profile",
        type=Profile,
        choices=list(Profile),
        default=Profile.LAB,
        help="lab: in namespaces of its own (default); metal: on the machine itself",
    )
    verbs = made.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    _making(verbs)
    _looking(verbs)
    _asking(verbs)
    _writing(verbs)
    return made


def parse(made: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse `words`; what stands behind `--` is another program's command line, and goes into `rest` as it is."""
    own = list(words[: words.index("--")] if "--" in words else words)
    options = made.parse_args(own)
    options.rest = tuple(words[len(own) + 1 :])
    if options.rest and options.command != "enter":
        made.error(f"`{options.command}` takes nothing behind --")
    return options


def _making(verbs: argparse._SubParsersAction[_Parser]) -> None:
    plan = _verb(verbs, "plan", "say what apply would do; exit 2 when there is something")
    plan.add_argument("--module", metavar="M", help="look at this module alone")
    _json(plan)

    apply = _verb(verbs, "apply", "make the machine hold what is declared")
    apply.add_argument("--module", metavar="M", help="change this module alone")
    apply.add_argument("--yes", action="store_true", help="do not ask when reach widens or something is removed")
    apply.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="for what was started to answer (default: 60)"
    )
    _json(apply)

    down = _verb(verbs, "down", "take away all that bears the instance's mark")
    down.add_argument("--data", action="store_true", help="the volumes, host paths, secrets and evidence as well")
    _json(down)

    stop = _verb(verbs, "stop", "end containers until `start` or `apply`; their network and their volumes stay")
    stop.add_argument("names", nargs="+", metavar="NAME", help="the containers")
    _json(stop)

    start = _verb(verbs, "start", "let stopped containers run again, and wait until they answer")
    start.add_argument("names", nargs="+", metavar="NAME", help="the containers")
    start.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="for them to answer (default: 60)")
    _json(start)

    _json(_verb(verbs, "status", "say what runs, what answers, and whether it is as declared; exit 2 when not"))


def _looking(verbs: argparse._SubParsersAction[_Parser]) -> None:
    logs = _verb(verbs, "logs", "say what a container's program says")
    logs.add_argument("name", metavar="NAME", help="the container")
    logs.add_argument("-n", "--lines", type=_count, default=50, metavar="LINES", help="the last ones (default: 50)")
    logs.add_argument("-f", "--follow", action="store_true", help="and each new one, until interrupted")

    enter = _verb(verbs, "enter", "open a shell, or run CMD, in a node's network, with the machine's tools")
    enter.usage = "pluto enter [-h] [--all] NAME [-- CMD ...]"
    enter.add_argument("name", metavar="NAME", help="a container, or any other node")
    enter.add_argument(
        "--all", action="store_true", help="among the container's own files and processes, as its own user"
    )

    _images(verbs)

    peer = _verb(verbs, "peer", "print a WireGuard client's configuration, a secret, and its QR code")
    peer.add_argument("name", metavar="NAME", help="the peer")
    text = "how it reaches you: a name or an IPv4 address (default: the host's, and the tunnel's port)"
    peer.add_argument("--endpoint", type=_endpoint, metavar="HOST[:PORT]", help=text)
    peer.add_argument("--no-qr", action="store_true", help="the text alone")


def _asking(verbs: argparse._SubParsersAction[_Parser]) -> None:
    text = "say which way a packet takes, which rules decide, and what would allow it; exit 2 when it is dark"
    why = _verb(verbs, "why", text)
    why.add_argument("source", metavar="FROM", help="a node, a peer, wan or lan")
    why.add_argument("target", metavar="TO", help="a node, a peer, wan or lan")
    why.add_argument("port", metavar="PORT", type=_service, help="tcp/443, udp/51820 or icmp")
    _declared(why)
    _json(why)

    blast = _verb(verbs, "blast-radius", "say what becomes reachable when a node is owned, raw sockets and all")
    blast.add_argument("name", metavar="NODE", nargs="?", help="a container, or any other node")
    blast.add_argument("--all", action="store_true", help="every container, as a table, the worst first")
    _declared(blast)
    _json(blast)


def _declared(verb: _Parser) -> None:
    verb.add_argument(
        "--declared", action="store_true", help="ask what is declared, also without an instance (default: the kernel)"
    )


def _images(verbs: argparse._SubParsersAction[_Parser]) -> None:
    images = _verb(verbs, "images", "say what each image holds and whether it is old; make old ones anew")
    images.description = (
        "Say how large and how old each image is, what it holds, and which of its packages the distribution has newer; "
        "exit 2 when one has. Or do something about it:"
    )
    images.add_argument("names", nargs="*", metavar="NAME", help="these alone (default: all)")
    what = images.add_mutually_exclusive_group()
    what.add_argument("--refresh", action="store_true", help="make old ones anew, replace their containers one by one")
    what.add_argument(
        "--rollback", action="store_true", help="put back what stood before the last refresh, or undo that"
    )
    what.add_argument("--prune", action="store_true", help="remove what no declaration stands on and no rollback keeps")
    what.add_argument("--sbom", action="store_true", help="print what one image is made of, as CycloneDX JSON")
    what.add_argument("--offline", action="store_true", help="do not ask the distribution what is newer")
    images.add_argument(
        "--yes", action="store_true", help="do not ask before containers are replaced or images removed"
    )
    images.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="for each new container to answer (default: 60)"
    )
    _json(images)


def _writing(verbs: argparse._SubParsersAction[_Parser]) -> None:
    new = _verb(verbs, "new", "write a first sketch of one more container into the declaration")
    new.add_argument("what", choices=["container"])
    new.add_argument("name", metavar="NAME", help="the container, and its link's name behind pub- or priv-")
    new.add_argument("--module", metavar="M", required=True, help="the module it belongs to")
    new.add_argument("--on", choices=["privat", "private", "public"], required=True, help="which hub it is wired to")
    new.add_argument("--port", type=_port, default=8080, metavar="N", help="the TCP port it serves (default: 8080)")
    new.add_argument(
        "--image", metavar="IMAGE", help="what it runs: a declared one, or a new one (default: of its own name)"
    )

    schema = _verb(verbs, "schema", "write the JSON Schemas for editors into a folder")
    schema.add_argument("folder", type=Path, help="such as docs/schema")


def _verb(verbs: argparse._SubParsersAction[_Parser], name: str, text: str) -> _Parser:
    return verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is no number of lines")
    return int(word)


def _port(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 65535:
        raise argparse.ArgumentTypeError(f"{word!r} is no port: 1 to 65535")
    return int(word)


def _endpoint(word: str) -> str:
    """A host name (RFC 1123 section 2.1) or an IPv4 address, and a port where one is told."""
    host, colon, port = word.partition(":")
    if colon:
        _port(port)
    label = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    named = re.fullmatch(rf"{label}(\.{label})*", host) is not None and len(host) <= 253
    if not named or (host.split(".")[-1].isdecimal() and not _is_address(host)):
        raise argparse.ArgumentTypeError(f"{word!r} is no host name or IPv4 address, with or without :port")
    return word


def _is_address(word: str) -> bool:
    try:
        IPv4Address(word)
    except ValueError:
        return False
    return True


def _service(word: str) -> Port | None:
    """A port, or None for `icmp`."""
    protocol, _, number = word.partition("/")
    if word == "icmp":
        return None
    if protocol not in tuple(Protocol) or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is no tcp/443, udp/51820 or icmp")
    return Port(protocol=Protocol(protocol), number=_port(number))


def _json(verb: _Parser) -> None:
    verb.add_argument("--json", action="store_true", help="as one JSON document")
