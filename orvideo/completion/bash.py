"""The completion script for bash (from 3.2, that of macOS, on): tables made from the app, and a fixed part that reads
the command line by them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from orvideo.completion.spec import CommandSpec, ValueSpec

_HEAD = """\
# bash completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

# Sets `commands` and `options` to those of the command $1; "" is orvideo itself.
__orvideo_offers() {
    commands='' options=''
    case $1 in
"""

_VALUE_HEAD = """\
    esac
}

# Sets `kind` to what the option $2 of the command $1 takes: files, dynamic KIND, words ... or anything; "" for a flag.
__orvideo_value() {
    kind=''
    case "$1 $2" in
"""

_ARGUMENT_HEAD = """\
    esac
}

# Sets `kind` to what the argument number $2 of the command $1 is.
__orvideo_argument() {
    kind=''
    case "$1 $2" in
"""

_TAIL = r"""    esac
}

# Sets `words` to the words before the cursor and `current` to the word at the cursor, up to it. Bash also splits words
# at the characters of COMP_WORDBREAKS, such as = and :, so parts without a blank between them are joined again.
__orvideo_words() {
    local rest=${COMP_LINE:0:COMP_POINT} part gap i
    words=() current=''
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then
            gap=${rest%%[![:space:]]*} part=${rest#"${rest%%[![:space:]]*}"}
        else
            gap=${rest%%"$part"*} rest=${rest#*"$part"}
        fi
        if ((i == 0)) || [[ $gap == *[[:space:]]* ]]; then
            ((i == 0)) || words+=("$current")
            current=$part
        else
            current+=$part
        fi
    done
}

# Adds to COMPREPLY those of $3... that begin with $2, the typed text; $1 precedes it in the same word.
__orvideo_offer() {
    local before=$1 typed=$2 quote='' stem value
    shift 2
    case $typed in
        \'*|\"*) quote=${typed:0:1} typed=${typed:1} before='' ;;
        *) typed=${typed//\\/} ;;
    esac
    # Readline replaces only the text after the last = or :.
    stem=${current%"${current##*[=:]}"}
    for value in "$@"; do
        [[ $value == "$typed"* ]] || continue
        case $quote in
            \') [[ $value == *\'* ]] && continue ;;
            \") [[ $value == *[\"\\\$\`!]* ]] && continue ;;
            *)
                # Quote any other character, so that the shell does not evaluate it.
                [[ $value == *[!A-Za-z0-9@%+=:,./_-]* ]] && printf -v value %q "$value"
                value=$before$value
                value=${value#"$stem"}
                ;;
        esac
        COMPREPLY+=("$value")
    done
}

# Adds to COMPREPLY the candidates of `kind` for the typed text $2; $1 precedes it in the same word.
__orvideo_offer_kind() {
    local line found=()
    case $kind in
        words\ *) __orvideo_offer "$1" "$2" ${kind#words } ;;
        files)
            # Readline's own completion of files handles quotes, tildes and directories.
            if ! compopt -o default 2>/dev/null; then
                while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$2")
            fi
            ;;
        dynamic\ *)
            while IFS= read -r line; do
                found+=("${line%%$'\t'*}")
            done < <(command orvideo __complete "${kind#dynamic }" "$2" "${words[@]:1}" 2>/dev/null)
            __orvideo_offer "$1" "$2" ${found[@]+"${found[@]}"}
            ;;
    esac
}

_orvideo() {
    local words current kind commands options path='' position=0 expects='' ended='' word rest i IFS=$' \t\n'
    COMPREPLY=()
    __orvideo_words
    __orvideo_offers "$path"
    for ((i = 1; i < ${#words[@]}; i++)); do
        word=${words[i]}
        if [[ $expects ]]; then
            expects=''
        elif [[ $ended || $word != -?* ]]; then
            if [[ ! $ended && $position == 0 && " $commands " == *" $word "* ]]; then
                path=${path:+$path }$word
                __orvideo_offers "$path"
            else
                position=$((position + 1))
            fi
        elif [[ $word == -- ]]; then
            ended=1
        elif [[ $word == --* ]]; then
            [[ $word == *=* ]] && continue
            __orvideo_value "$path" "$word"
            [[ $kind ]] && expects=$word
        else
            rest=${word#-}
            while [[ $rest ]]; do
                __orvideo_value "$path" "-${rest:0:1}"
                if [[ $kind ]]; then
                    # In -mID the value is part of the word, not the next one.
                    [[ ${rest:1} ]] || expects=-$rest
                    break
                fi
                rest=${rest:1}
            done
        fi
    done
    if [[ $expects ]]; then
        __orvideo_value "$path" "$expects"
        __orvideo_offer_kind '' "$current"
    elif [[ ! $ended && $current == --*=* ]]; then
        __orvideo_value "$path" "${current%%=*}"
        __orvideo_offer_kind "${current%%=*}=" "${current#*=}"
    elif [[ ! $ended && $current == -* ]]; then
        __orvideo_offer '' "$current" $options
    else
        [[ $position == 0 && ! $ended ]] && __orvideo_offer '' "$current" $commands
        __orvideo_argument "$path" "$position"
        __orvideo_offer_kind '' "$current"
    fi
}

complete -F _orvideo orvideo
"""


def script(program: CommandSpec) -> str:
    """Return the whole script."""
    return (
        _HEAD
        + "".join(_offers(program))
        + _VALUE_HEAD
        + "".join(_values(program))
        + _ARGUMENT_HEAD
        + ("".join(_arguments(program)) + _TAIL)
    )


def _offers(program: CommandSpec) -> Iterator[str]:
    for command in program.walk():
        commands = " ".join(one.name for one in command.commands)
        options = " ".join(name for option in command.options for name in option.names)
        yield f"        {shlex.quote(command.key)})\n"
        if commands:
            yield f"            commands='{commands}'\n"
        yield f"            options='{options}'\n            ;;\n"


def _values(program: CommandSpec) -> Iterator[str]:
    for command in program.walk():
        for option in command.options:
            if option.value is not None:
                names = "|".join(shlex.quote(f"{command.key} {name}") for name in option.names)
                yield f"        {names}) kind='{_kind(option.value)}' ;;\n"


def _arguments(program: CommandSpec) -> Iterator[str]:
    for command in program.walk():
        for index, argument in enumerate(command.arguments):
            if (kind := _kind(argument.value)) != "anything":
                number = "*" if argument.repeatable else str(index)
                yield f"        {shlex.quote(command.key + ' ')}{number}) kind='{kind}' ;;\n"


def _kind(value: ValueSpec) -> str:
    if value.choices:
        return "words " + " ".join(choice.text for choice in value.choices)
    if value.dynamic:
        return f"dynamic {value.dynamic}"
    return "files" if value.files else "anything"
