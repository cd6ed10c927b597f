"""`python -m orvideo.completion [FOLDER]` writes the scripts of all shells and the manual page, into completions/."""

from __future__ import annotations

import sys
from pathlib import Path

from orvideo.commands._app import build_app
from orvideo.commands.help import EXIT_CODES
from orvideo.completion.scripts import FILE_NAMES, manual, script


def main(folder: Path) -> None:
    app = build_app()
    folder.mkdir(parents=True, exist_ok=True)
    for shell, name in FILE_NAMES.items():
        (folder / name).write_text(script(shell, app), encoding="utf-8", newline="\n")
    (folder / "orvideo.1").write_text(manual(app, EXIT_CODES), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "completions"))
