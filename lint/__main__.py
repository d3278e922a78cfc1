"""Starts the command line; does the staged-files shortcut of the hook before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run `netpact` with the process's arguments and return its exit status."""
    if "--if-staged" in sys.argv[1:]:
        from lint.staged import nothing_staged

        if nothing_staged(sys.argv[1:]):
            return 0
    from lint.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
