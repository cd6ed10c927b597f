"""The completion script for zsh: a function for each command, which calls `_arguments`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orvideo.completion.spec import ArgumentSpec, Choice, CommandSpec, OptionSpec, ValueSpec

_HEAD = """\
#compdef orvideo
# zsh completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

# Offers the candidates of the kind $1 that `orvideo __complete` knows, under the name $2, in the order given: the
# newest job first, and 480p before 1080p. Nothing of them is evaluated, and compadd quotes what needs it.
_orvideo_dynamic() {
  local line described
  local -i width=0
  local -a values descriptions shown expl
  for line in "${(@f)$(command orvideo __complete "$1" "${(Q)PREFIX}" "${(@Q)_orvideo_line}" 2>/dev/null)}"; do
    [[ $line == *$'\\t'* ]] || continue
    values+=("${line%%$'\\t'*}")
    descriptions+=("${line#*$'\\t'}")
    ((${#values[-1]} > width)) && width=${#values[-1]}
    [[ -n $descriptions[-1] ]] && described=-l
  done
  for ((line = 1; line <= $#values; line++)); do
    if [[ -n $descriptions[line] ]]; then
      shown+=("${(r:width:)values[line]}  -- $descriptions[line]")
    else
      shown+=("$values[line]")
    fi
  done
  _wanted -V "$1" expl "$2" compadd $described -d shown -a values
}

_orvideo_settings() {
  local -a names
  names=(
"""

_TAIL = """\
_orvideo() {
  local curcontext=$curcontext context state state_descr line
  local -i CALLS
  typeset -A opt_args
  # The words so far; the functions of the commands see only their own part of the line.
  local -a _orvideo_line
  _orvideo_line=("${(@)words[2,CURRENT-1]}")
  _orvideo_at_root
}

if [[ $funcstack[1] == _orvideo ]]; then
  _orvideo "$@"
else
  compdef _orvideo orvideo
fi
"""


def script(program: CommandSpec) -> str:
    """Return the whole script."""
    settings = next(
        argument.value.choices
        for command in program.walk()
        for argument in command.arguments
        if argument.value.title == "setting"
    )
    return (
        _HEAD
        + "".join(f"    {_described(choice)}\n" for choice in settings)
        + "  )\n  _describe -t settings 'setting' names\n}\n\n"
        + "\n".join(_function(command) for command in program.walk())
        + "\n"
        + _TAIL
    )


def _function(command: CommandSpec) -> str:
    lines = [f"{_name(command)}() {{"]
    if command.commands:
        lines += ["  local context state state_descr line", "  local -i ret=1"]
    lines.append("  _arguments -s -S -C \\" if command.commands else "  _arguments -s -S \\")
    specs = [spec for option in command.options for spec in _option(option)]
    if command.commands:
        specs += [f"'1:command:{_name(command)}_commands'", "'*:: :->below'"]
    else:
        specs += [_argument(number, one) for number, one in enumerate(command.arguments, start=1)]
    lines += [f"    {spec} \\" for spec in specs[:-1]] + [
        f"    {specs[-1]}" + (" && ret=0" if command.commands else "")
    ]
    if command.commands:
        lines += ["  if [[ $state == below ]]; then", "    case $words[1] in"]
        lines += [f"      ({one.name}) {_name(one)} && ret=0 ;;" for one in command.commands]
        lines += ["    esac", "  fi", "  return ret"]
    lines.append("}")
    if command.commands:
        lines += ["", f"{_name(command)}_commands() {{", "  local -a commands", "  commands=("]
        lines += [f"    {_described(Choice(one.name, one.help))}" for one in command.commands]
        lines += ["  )", "  _describe -t commands 'command' commands", "}"]
    return "\n".join(lines) + "\n"


def _name(command: CommandSpec) -> str:
    return "_orvideo_at_" + ("_".join(command.path).replace("-", "_") or "root")


def _option(option: OptionSpec) -> Iterator[str]:
    """Yield a specification for each name; each excludes the others unless the option may be repeated."""
    others = "*" if option.repeatable else f"({' '.join(option.names)})"
    for name in option.names:
        # Both --model ID and --model=ID; both -m ID and -mID.
        joined = "" if option.value is None else "=" if name.startswith("--") else "+"
        value = "" if option.value is None else f":{option.value.title}:{_action(option.value)}"
        yield _quoted(f"{others}{name}{joined}[{_escaped(option.help)}]{value}")


def _argument(number: int, argument: ArgumentSpec) -> str:
    position = "*" if argument.repeatable else str(number)
    return _quoted(f"{position}:{argument.value.title}:{_action(argument.value)}")


def _action(value: ValueSpec) -> str:
    if value.title == "setting" and value.choices:
        return "_orvideo_settings"
    if value.choices:
        return f"({' '.join(choice.text for choice in value.choices)})"
    if value.dynamic:
        return f" _orvideo_dynamic {value.dynamic} {value.title.split()[0]}"
    # An empty list instead of an empty action, whose message would keep zsh from completing an option here.
    return "_files" if value.files else "()"


def _escaped(text: str, special: Iterable[str] = "\\[]:") -> str:
    return "".join("\\" + one if one in special else one for one in text)


def _described(choice: Choice) -> str:
    return _quoted(f"{_escaped(choice.text, ':')}:{_escaped(choice.help, chr(92))}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
