"""The console script: answers what needs no program at once, and hands the rest to `cli.main`."""

import sys


def run() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Before anything is imported: a version is asked for by scripts, in loops.
        from orvideo import __version__

        sys.stdout.write(f"orvideo {__version__}\n")
        sys.stdout.flush()
        return
    from orvideo.cli import main

    sys.exit(main())


if __name__ == "__main__":
    run()
