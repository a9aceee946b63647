"""pluto: the command line; it alone prints and exits.

Exit codes: 0 done, or nothing to do; 1 something is wrong with the declaration, the machine or an op; 2 `plan`
found something to do, `why` that it is dark, `status` something amiss, `images` something old; 64 the command line
makes no sense (sysexits.h, EX_USAGE).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from provision.arguments import USAGE, parse, parser
from provision.errors import PlutoError, UsageError
from provision.say import Voice
from specs.problems import SpecError

OK, WRONG, DRIFT, CUT = 0, 1, 2, 141
Command = Callable[[argparse.Namespace, Voice], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parse(parser(epilog=__doc__.split("\n\n")[1]), sys.argv[1:] if arguments is None else arguments)
    voice = Voice(sys.stdout, quiet=getattr(options, "json", False))
    command: Command = import_module(f"provision.commands.{options.command.replace('-', '_')}").run
    try:
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


if __name__ == "__main__":
    sys.exit(main())
