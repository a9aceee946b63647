"""pluto: the command line; it alone prints and exits.

Exit codes: 0 done, or nothing to do; 1 something is wrong with the declaration, the machine or an op; 2 `plan`
found something to do; 64 the command line makes no sense (sysexits.h, EX_USAGE).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from provision import commands
from provision.errors import PlutoError, UsageError
from provision.say import Voice
from specs.load import DEFAULT_FOLDER
from specs.model import Profile
from specs.problems import SpecError

OK, WRONG, DRIFT, USAGE, CUT = 0, 1, 2, 64, 141


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    voice = Voice(sys.stdout, quiet=getattr(options, "json", False))
    try:
        command: commands.Command = options.command
        return command(options, voice)
    except UsageError as error:
        print(f"pluto: {error}", file=sys.stderr)
        return USAGE
    except (PlutoError, SpecError) as error:
        print(f"pluto: {error}" if isinstance(error, PlutoError) else str(error), file=sys.stderr)
        return WRONG
    except BrokenPipeError:  # `plan | head`: the reader has gone, and Python would complain again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT
    except KeyboardInterrupt:
        print("pluto: interrupted; the next apply finishes what is half done", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pluto", description="Make an estate from its declaration.", epilog=__doc__.split("\n\n")[1])
    parser.add_argument(
        "--estate",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="DIR",
        help="the declaration (default: the one in specs/pluto)",
    )
    parser.add_argument("--instance", metavar="NAME", help="which realisation of it (default: the estate's own name)")
    parser.add_argument(
        "--profile",
        type=Profile,
        choices=list(Profile),
        default=Profile.LAB,
        help="lab: in namespaces of its own (default); metal: on the machine itself",
    )
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    plan = _verb(verbs, "plan", commands.plan, "say what apply would do; exit 2 when there is something")
    plan.add_argument("--module", metavar="M", help="look at this module alone")
    plan.add_argument("--json", action="store_true", help="as one JSON document")

    apply = _verb(verbs, "apply", commands.apply, "make the machine hold what is declared")
    apply.add_argument("--module", metavar="M", help="change this module alone")
    apply.add_argument("--yes", action="store_true", help="do not ask when reach widens or something is removed")
    apply.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="for what was started to answer (default: 60)"
    )
    apply.add_argument("--json", action="store_true", help="as one JSON document")

    down = _verb(verbs, "down", commands.down, "take away all that bears the instance's mark")
    down.add_argument("--data", action="store_true", help="the volumes, host paths, secrets and evidence as well")
    down.add_argument("--json", action="store_true", help="as one JSON document")

    status = _verb(verbs, "status", commands.status, "say what runs and whether it is what was declared")
    status.add_argument("--json", action="store_true", help="as one JSON document")

    schema = _verb(verbs, "schema", commands.schema, "write the JSON Schemas for editors into a folder")
    schema.add_argument("folder", type=Path, help="such as docs/schema")
    return parser


def _verb(verbs: argparse._SubParsersAction[_Parser], name: str, command: commands.Command, text: str) -> _Parser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    verb.set_defaults(command=command)
    return verb


if __name__ == "__main__":
    sys.exit(main())
