"""A mutation tester for this suite: `python -m tests.mutations --help`."""
