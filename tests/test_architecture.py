"""The rules of the house, read off the source: who may import what, and what every command owes its user."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from orvideo.commands._app import COMMANDS, build_app
from tests.shell import Shell

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "orvideo"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: What a room must not know. The arrows point down: cli → commands → batch → jobs → request | download → catalogue |
#: record → api → errors.
_LIFE = ("batch", "jobs", "request", "download", "catalogue", "record", "api")
FORBIDDEN = {
    "api": ("commands", "batch", "jobs", "request", "download", "record", "catalogue", "output", "settings", "sandbox"),
    "record": ("commands", "batch", "jobs", "request", "download", "catalogue", "output", "settings", "sandbox"),
    "catalogue": ("commands", "batch", "jobs", "download", "record", "output", "settings", "sandbox"),
    "download": ("commands", "batch", "jobs", "request", "catalogue", "output", "settings", "sandbox"),
    "request": ("commands", "batch", "jobs", "download", "output", "settings", "sandbox"),
    "jobs": ("commands", "batch", "output", "settings", "sandbox"),
    "batch": ("commands", "output", "settings", "sandbox"),
    "settings": ("commands", *(room for room in _LIFE if room != "api"), "output", "sandbox"),
    "output": ("commands", "settings", "sandbox"),
    "film": ("commands", *_LIFE, "output", "settings", "sandbox"),
    "lettering": ("commands", "film", *_LIFE, "output", "settings", "sandbox"),
    "gallery": ("commands", "batch", "jobs", "request", "download", "catalogue", "api", "settings", "sandbox"),
    "sign_in": ("commands", *(room for room in _LIFE if room != "api"), "output", "settings", "sandbox"),
    "sandbox": ("commands", "batch", "jobs", "request", "download", "record", "output", "settings"),
    "commands": (),
}
#: Only these may import a library; `sandbox` is a program of its own.
OWNERS = {
    "httpx": ("api",),
    "httpcore": ("api",),
    "rich": ("output",),
    "h11": ("sign_in",),
    "webbrowser": ("sign_in",),
    "platformdirs": ("settings",),
    "sqlite3": ("record", "completion"),
    "typer": ("commands", "cli", "completion"),
    "falcon": ("sandbox", "gallery", "commands"),
    "waitress": ("sandbox", "wsgi"),
    "jinja2": ("gallery",),
    "av": ("sandbox", "film", "commands"),
    "PIL": ("sandbox", "film", "lettering", "request"),
    "textual_image": ("output",),
    "tomlkit": ("settings",),
    **dict.fromkeys(("fcntl", "msvcrt", "termios", "select", "ctypes", "psutil", "colorama"), ("system",)),
}


def layer(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@cache
def imports(path: Path, *, at_run_time: bool = False) -> tuple[str, ...]:
    """Return the modules that a file imports; those for type checkers alone do not count at run time."""
    return tuple(_imports(path, at_run_time))


def _imports(path: Path, at_run_time: bool) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if at_run_time and id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported() -> Iterator[tuple[Path, str]]:
    """Yield every module, and each that it imports at run time: a type that is passed through is no dependency."""
    for path in MODULES:
        for name in imports(path, at_run_time=True):
            yield path.relative_to(PACKAGE), name


def test_data_flows_one_way() -> None:
    wrong = []
    for path, name in imported():
        room = layer(PACKAGE / path)
        above = {"commands": ("cli",)}.get(room, ("context", "cli")) if room in FORBIDDEN else ()
        if name.startswith(tuple(f"orvideo.{one}" for one in (*FORBIDDEN.get(room, ()), *above))):
            wrong.append(f"{path}: {name}")
    assert wrong == []


#: What the systems do differently, or have not: only `system` asks for it (finding W2).
OF_SYSTEMS = re.compile(
    r"p(?!ath\b)\w+|open|statvfs|f\w*sync|sync|link|rename|replace|kill|[gs]ete?[ug]id|major|minor|uname"
)


def test_w2_what_the_systems_do_differently_is_in_one_room() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: os.{node.attr}"
        for path in MODULES
        if layer(path) != "system"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
        if OF_SYSTEMS.fullmatch(node.attr)
    ]
    assert wrong == []


def test_every_system_has_the_same_interface() -> None:
    interfaces = []
    for name in ("posix", "windows"):
        tree = ast.parse((PACKAGE / "system" / f"{name}.py").read_text(encoding="utf-8"))
        made = {node.name: ast.unparse(node.args) for node in tree.body if isinstance(node, ast.FunctionDef)}
        said = next(n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__")
        names = ast.literal_eval(said)
        interfaces.append({one: made.get(one, "a constant") for one in names})
        assert [one for one in made if not one.startswith("_") and one not in names] == []
    assert interfaces[0] == interfaces[1]


def name_of(path: Path) -> str:
    """Return a file's name as it is imported: `orvideo.jobs.engine`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def arrows_of(path: Path, known: set[str]) -> set[str]:
    """Return the modules of the package that a file imports: `from orvideo.jobs import engine` is one, the engine."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return (found & known) - {name_of(path)}


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Return the modules of one circle in their order, none where there is no circle."""
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module not in done:
            for other in sorted(arrows.get(module, ())):
                if found := walk(other, [*way, module]):
                    return found
            done.add(module)
        return []

    return next((found for module in sorted(arrows) if (found := walk(module, []))), [])


def test_nobody_imports_in_a_circle() -> None:
    """Neither files, types included, nor rooms; a `__main__` is a program, which stands above all rooms."""
    known = {name_of(path) for path in MODULES}
    arrows = {name_of(path): arrows_of(path, known) - {"orvideo"} for path in MODULES}
    assert " → ".join(circle(arrows)) == ""
    rooms: dict[str, set[str]] = {}
    for module, others in arrows.items():
        if not module.endswith("__main__"):
            rooms.setdefault(room_of(module), set()).update({room_of(one) for one in others} - {room_of(module)})
    assert " → ".join(circle(rooms)) == ""


def test_libraries_stay_where_they_belong() -> None:
    wrong = []
    for path, name in imported():
        owners = OWNERS.get(name.partition(".")[0])
        if owners is not None and layer(PACKAGE / path) not in owners:
            wrong.append(f"{path}: {name}")
    assert wrong == []


def test_commands_do_not_import_each_other() -> None:
    for path in (PACKAGE / "commands").glob("*.py"):
        others = {name.split(".")[2] for name in imports(path) if name.startswith("orvideo.commands.")}
        assert all(name.startswith("_") for name in others), path.name


def test_only_the_command_line_exits_prints_or_reads_the_environment() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        here = layer(path)
        # TAB is a program of its own, answered before the command line is there.
        if here not in ("__main__", "cli", "completion"):
            assert not re.search(r"sys\.exit|os\._exit", text), path
        if here not in ("__main__", "cli", "completion"):
            assert not re.search(r"^\s*print\(|sys\.std(out|err)\b", text, re.MULTILINE), path
        if here not in ("cli", "settings", "completion", "__main__"):
            assert not re.search(r"os\.environ|os\.getenv", text), path


def all_commands() -> list[tuple[str, ...]]:
    """Return every command's words: `("submit",)`, `("jobs", "show")`."""
    group = typer.main.get_command(build_app())
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found.append((name,))
        found += [(name, inner) for inner in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], orvideo: Shell) -> None:
    done = orvideo(*words, "--help")
    assert done.code == 0
    assert "Example: orvideo " + words[0] in " ".join(done.out.split())
    assert done.err == ""


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_that_answers_takes_json(words: tuple[str, ...], orvideo: Shell) -> None:
    if words not in (("config",), ("completion",)):
        assert "--json" in orvideo(*words, "--help").out


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    whole = typer.main.get_command(build_app())
    own = {name: (command.help or "").partition("\n\n")[0] for name, command in whole.commands.items()}  # type: ignore[attr-defined]
    assert own == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_place_in_the_readme(name: str) -> None:
    assert f"`{name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_no_path_of_a_machine_and_no_key_in_the_project() -> None:
    kept = [
        path for folder in ("orvideo", "tests", "docs", "completions", "bench") for path in (ROOT / folder).rglob("*")
    ]
    for path in [*kept, *ROOT.glob("*.*")]:
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".yaml", ".bash", ".fish"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert "/" + "work/" not in text, path


def test_a_long_file_says_why_it_is_long() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            assert "longer than 400 lines because" in (ast.get_docstring(ast.parse(text)) or ""), path


def test_the_walk_through_the_house_names_what_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = page.partition("## One line, from the shell to the disk")[2].partition("\n## ")[0]
    defined = {name for path in MODULES for name in (path.stem, path.parent.name)}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Assign):
                defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    named = {part for name in re.findall(r"`([A-Za-z_][\w.]*)`", walk) for part in name.split(".")}
    assert len(named) > 60
    assert named - defined == set()
