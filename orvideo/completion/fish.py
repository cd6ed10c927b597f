"""The script for fish: a `complete` line for each thing, under the condition that its command is being typed."""

from __future__ import annotations

from collections.abc import Iterator

from orvideo.completion.tree import Command, Option, Value

_HEAD = """\
# fish completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

# Succeeds for an option $argv[2] of the command $argv[1] that is followed by a value.
function __orvideo_takes_value
    switch "$argv[1] $argv[2]"
        case \\
"""

_TAIL = """\
            return 0
    end
    return 1
end

# Finds the command that is being typed and the number of its arguments before the cursor, once for each state of the
# line: every condition below asks.
function __orvideo_walk
    set -l words (commandline -opc)
    if test "$__orvideo_walked" = "$words"
        return
    end
    set -g __orvideo_walked $words
    set -g __orvideo_command ''
    set -g __orvideo_position 0
    set -l expects 0
    set -l ended 0
    for word in $words[2..-1]
        if test $expects = 1
            set expects 0
        else if test $ended = 0; and string match -qr -- '^-.' $word
            switch $word
                case --
                    set ended 1
                case '--*=*'
                    continue
                case '--*'
                    __orvideo_takes_value "$__orvideo_command" $word; and set expects 1
                case '*'
                    set -l letters (string split '' -- (string sub -s 2 -- $word))
                    for i in (seq (count $letters))
                        if __orvideo_takes_value "$__orvideo_command" -$letters[$i]
                            # A value that hangs on its option, as in -mID, is not the next word.
                            test $i = (count $letters); and set expects 1
                            break
                        end
                    end
            end
        else
            set -l path (string trim -- "$__orvideo_command $word")
            if test $ended = 0; and test $__orvideo_position = 0; and contains -- "$path" $__orvideo_commands
                set -g __orvideo_command $path
            else
                set -g __orvideo_position (math $__orvideo_position + 1)
            end
        end
    end
end

# Succeeds where the command $argv[1] is being typed and, if given, it is the turn of its argument number $argv[2].
function __orvideo_at
    __orvideo_walk
    test "$__orvideo_command" = "$argv[1]"; or return 1
    test (count $argv) = 1; or test $__orvideo_position = $argv[2]
end

# Prints what orvideo says is alive of the kind $argv[1].
function __orvideo_live
    set -l current (commandline -ct)
    set -l words (commandline -opc)
    command orvideo __complete $argv[1] "$current" $words[2..-1] 2>/dev/null
end

complete -c orvideo -e
complete -c orvideo -f
"""


def script(program: Command) -> str:
    """Return the whole script."""
    names = [
        _quoted(f"{command.key} {name}")
        for command in program.all()
        for option in command.options
        if option.value is not None
        for name in option.names
    ]
    cases = "".join(f"            {name} \\\n" for name in names)[:-3] + "\n"
    paths = " ".join(_quoted(command.key) for command in program.all() if command.path)
    return _HEAD + cases + _TAIL + f"set -g __orvideo_commands {paths}\n\n" + "\n".join(_lines(program)) + "\n"


def _lines(program: Command) -> Iterator[str]:
    for command in program.all():
        first = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)} 0')}"
        for one in command.commands:
            yield f"complete -c orvideo {first} -a {one.name} -d {_quoted(one.help)}"
        for place, argument in enumerate(command.arguments):
            here = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)}')}"
            if not argument.many:
                here = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)} {place}')}"
            for action in _actions(argument.value):
                yield f"complete -c orvideo {here} {action}"
        for option in command.options:
            yield from _option(command, option)


def _option(command: Command, option: Option) -> Iterator[str]:
    here = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)}')}"
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    what = f"complete -c orvideo {here} {names} -d {_quoted(option.help)}"
    if option.value is None:
        yield what
        return
    actions = _actions(option.value)
    yield f"{what} -{'r' if option.value.files else 'x'}" + (f" {actions[0]}" if actions else "")
    for action in actions[1:]:
        yield f"complete -c orvideo {here} {names} {action}"


def _actions(value: Value) -> list[str]:
    """Return the part of a `complete` line that says what a value can be; none where it can be anything."""
    if any(word.help for word in value.words):
        return [f"-a {word.text} -d {_quoted(word.help)}" for word in value.words]
    if value.words:
        return [f"-a {_quoted(' '.join(word.text for word in value.words))}"]
    if value.live:
        # In the order given: the newest job comes first, and 480p before 1080p.
        return [f"-k -a '(__orvideo_live {value.live})'"]
    return ["-F"] if value.files else []


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
