"""`afterscore`, as it is installed: the command line, whose libraries take a while to import."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Ctrl-C ends it quietly while it is still being imported, too."""
    try:
        from schedules import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
