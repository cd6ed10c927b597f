"""The completion script for fish: one `complete` line for each command, option and value, on the condition that its
command is being typed.
"""

from __future__ import annotations

from collections.abc import Iterator

from orvideo.completion.spec import CommandSpec, OptionSpec, ValueSpec

_HEAD = """\
# fish completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

# Returns 0 if the option $argv[2] of the command $argv[1] takes a value.
function __orvideo_takes_value
    switch "$argv[1] $argv[2]"
        case \\
"""

_TAIL = """\
            return 0
    end
    return 1
end

# Sets the command on the line and the number of its arguments before the cursor; keeps them while the line is the same,
# because every condition below needs them.
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
                            # In -mID the value is part of the word, not the next one.
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

# Returns 0 if the command on the line is $argv[1] and, if given, its argument number $argv[2] is next.
function __orvideo_at
    __orvideo_walk
    test "$__orvideo_command" = "$argv[1]"; or return 1
    test (count $argv) = 1; or test $__orvideo_position = $argv[2]
end

# Prints the candidates of the kind $argv[1] that `orvideo __complete` knows.
function __orvideo_dynamic
    set -l current (commandline -ct)
    set -l words (commandline -opc)
    command orvideo __complete $argv[1] "$current" $words[2..-1] 2>/dev/null
end

complete -c orvideo -e
complete -c orvideo -f
"""


def script(program: CommandSpec) -> str:
    """Return the whole script."""
    names = [
        _quoted(f"{command.key} {name}")
        for command in program.walk()
        for option in command.options
        if option.value is not None
        for name in option.names
    ]
    cases = "".join(f"            {name} \\\n" for name in names)[:-3] + "\n"
    paths = " ".join(_quoted(command.key) for command in program.walk() if command.path)
    return _HEAD + cases + _TAIL + f"set -g __orvideo_commands {paths}\n\n" + "\n".join(_lines(program)) + "\n"


def _lines(program: CommandSpec) -> Iterator[str]:
    for command in program.walk():
        first = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)} 0')}"
        for one in command.commands:
            yield f"complete -c orvideo {first} -a {one.name} -d {_quoted(one.help)}"
        for index, argument in enumerate(command.arguments):
            here = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)}')}"
            if not argument.repeatable:
                here = f"-n {_quoted(f'__orvideo_at {_quoted(command.key)} {index}')}"
            for action in _actions(argument.value):
                yield f"complete -c orvideo {here} {action}"
        for option in command.options:
            yield from _option(command, option)


def _option(command: CommandSpec, option: OptionSpec) -> Iterator[str]:
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


def _actions(value: ValueSpec) -> list[str]:
    """Return the part of a `complete` line that lists the possible values; none where any value will do."""
    if any(choice.help for choice in value.choices):
        return [f"-a {choice.text} -d {_quoted(choice.help)}" for choice in value.choices]
    if value.choices:
        return [f"-a {_quoted(' '.join(choice.text for choice in value.choices))}"]
    if value.dynamic:
        # -k keeps the order: the newest job first, and 480p before 1080p.
        return [f"-k -a '(__orvideo_dynamic {value.dynamic})'"]
    return ["-F"] if value.files else []


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
