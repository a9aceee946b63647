"""Start copyparty on its configuration alone: no environment, no command line, no folder of its own."""

import sys

from copyparty.__main__ import main

CONFIGURATION = "/etc/copyparty.conf"

if __name__ == "__main__":
    sys.exit(main(["copyparty", "-c", CONFIGURATION]))
