"""The console script: answers what needs no program at once, and hands the rest to `cli.main`."""

import sys


def run() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Before anything is imported: a version is asked for by scripts, in loops.
        from orvideo import __version__

        try:
            sys.stdout.write(f"orvideo {__version__}\n")
            sys.stdout.flush()
            return
        except (OSError, AttributeError):
            pass  # stdout is full, has no reader, or is closed: what follows says so
    if sys.argv[1:2] == ["__complete"]:
        # TAB: a person waits for it in the middle of a word.
        import os

        from orvideo.completion.answer import run as complete

        complete(sys.argv[2:], os.environ)
    _die_quietly_until_signals_are_handled()
    import gc

    # What is imported stays: looking through all of it for garbage, every 700 objects, is a seventh of the time that a
    # short command takes. It makes some 80,000 objects; one that lives longer makes more.
    gc.set_threshold(100_000, 20, 50)
    from orvideo.cli import main

    _leave(main())


def _die_quietly_until_signals_are_handled() -> None:
    """Let a Ctrl-C end the process without a traceback while the program is still being imported (drill S01)."""
    import signal

    # One that is ignored on purpose (`nohup`, a job in the background of a script) stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _leave(code: int) -> None:
    """End the process at once: all is written and closed, and what is left would only be taken apart.

    A thread that still waits for a name or a connection, after a call that was cut, cannot disturb the end like this.
    """
    import os

    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    run()
