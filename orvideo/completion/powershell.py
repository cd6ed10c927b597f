"""The completion script for PowerShell 5.1 and 7: a table made from the app, and an argument completer that reads it.

No test runs it in PowerShell: the tests check that quotes and brackets are in pairs, and that PowerShell, where it is
installed, can parse it.
"""

from __future__ import annotations

from collections.abc import Iterator

from orvideo.completion.spec import Choice, CommandSpec, ValueSpec

_HEAD = """\
# PowerShell completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

Register-ArgumentCompleter -Native -CommandName orvideo, orvideo.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # For each command, by its path: the commands below it, its options, and what its arguments are. A kind is
    # @('words', word, help, ...), @('dynamic', kind), @('files') or @('anything').
    $table = @{
"""

_TAIL = """\

    # PowerShell inserts a candidate unchanged, so it is quoted here where it has special characters.
    function Get-Quoted([string] $text) {
        if ($text -match '^[A-Za-z0-9%+=:./_-]+$') { return $text }
        return "'" + ($text -replace "['\\u2018\\u2019\\u201A\\u201B]", '$0$0') + "'"
    }

    function Get-Result([string] $before, [string] $text, [string] $description, [string] $type) {
        if (-not $description) { $description = $text }
        [System.Management.Automation.CompletionResult]::new((Get-Quoted ($before + $text)), $text, $type, $description)
    }

    # The words before the one at the cursor, without the program and without their quotes.
    $words = @()
    foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $words += $element.Value
        } else {
            $words += $element.Extent.Text
        }
    }

    function Get-Candidates($kind, [string] $before, [string] $typed) {
        switch ($kind[0]) {
            'words' {
                for ($i = 1; $i -lt $kind.Count; $i += 2) {
                    if ($kind[$i].StartsWith($typed, 'Ordinal')) {
                        Get-Result $before $kind[$i] $kind[$i + 1] 'ParameterValue'
                    }
                }
            }
            'dynamic' {
                $program = Get-Command orvideo -CommandType Application -ErrorAction SilentlyContinue
                if (-not $program) { return }
                # Windows PowerShell cannot pass empty arguments or quotes to a program; an id has no quotes.
                $current = $typed -replace '"', ''
                if (-not $current) { $current = ' ' }
                $line = @($words | ForEach-Object { $_ -replace '"', '' } | Where-Object { $_ })
                # It writes UTF-8, which PowerShell reads by the code page of the console.
                $encoding = [Console]::OutputEncoding
                try {
                    [Console]::OutputEncoding = [System.Text.Encoding]::UTF8
                    $found = & @($program)[0] __complete $kind[1] $current @line 2>$null
                } finally {
                    [Console]::OutputEncoding = $encoding
                }
                foreach ($one in $found) {
                    $value, $description = $one -split "`t", 2
                    if ($value.StartsWith($typed, 'Ordinal')) {
                        Get-Result $before $value $description 'ParameterValue'
                    }
                }
            }
        }
    }

    function Get-OfKind($kind, [string] $before, [string] $typed) {
        $candidates = @(Get-Candidates $kind $before $typed)
        if ($candidates.Count) {
            $candidates
        } elseif ($kind[0] -in 'anything', 'dynamic') {
            ''  # without any candidate PowerShell would offer files
        }
    }

    $path = ''
    $position = 0
    $expects = $null
    $ended = $false
    foreach ($word in $words) {
        $options = $table[$path].Options
        if ($expects) {
            $expects = $null
        } elseif ($ended -or $word -notmatch '^-.') {
            $below = "$path $word".Trim()
            $isCommand = -not $ended -and $position -eq 0 -and $table.ContainsKey($below)
            if ($isCommand) { $path = $below } else { $position++ }
        } elseif ($word -eq '--') {
            $ended = $true
        } elseif ($word.StartsWith('--', 'Ordinal')) {
            if ($options[$word].Kind) { $expects = $options[$word].Kind }
        } else {
            for ($i = 1; $i -lt $word.Length; $i++) {
                $kind = $options['-' + $word[$i]].Kind
                if ($kind) {
                    if ($i -eq $word.Length - 1) { $expects = $kind }
                    break
                }
            }
        }
    }

    $here = $table[$path]
    $typed = $wordToComplete.Trim("'", '"')
    if ($expects) {
        Get-OfKind $expects '' $typed
    } elseif (-not $ended -and $typed -match '^(--[^=]+)=(.*)$') {
        $name, $value = $Matches[1], $Matches[2]
        if ($here.Options[$name].Kind) { Get-OfKind $here.Options[$name].Kind "$name=" $value }
    } elseif (-not $ended -and $typed.StartsWith('-', 'Ordinal')) {
        foreach ($name in $here.Order) {
            if ($name.StartsWith($typed, 'Ordinal')) { Get-Result '' $name $here.Options[$name].Help 'ParameterName' }
        }
    } else {
        if ($position -eq 0 -and -not $ended) { Get-OfKind $here.Commands '' $typed }
        $arguments = $here.Arguments
        if ($here.Many -and $position -ge $arguments.Count) { $position = $arguments.Count - 1 }
        if ($position -lt $arguments.Count) { Get-OfKind $arguments[$position] '' $typed }
    }
}
"""


def script(program: CommandSpec) -> str:
    """Return the whole script."""
    commands = list(program.walk())
    entries = [line for command in commands for line in _entry(command)]
    options = [line for command in commands for line in _options(command)]
    return _HEAD + "\n".join([*entries, "    }", *options]) + "\n" + _TAIL


def _entry(command: CommandSpec) -> Iterator[str]:
    yield f"        {_quoted(command.key)} = @{{"
    yield f"            Commands = {_choices(tuple(Choice(one.name, one.help) for one in command.commands))}"
    names = [name for option in command.options for name in option.names]
    yield f"            Order = @({', '.join(map(_quoted, names))})"
    # A plain @{} ignores case, and some options differ in nothing else.
    yield "            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)"
    kinds = ", ".join(f"{_kind(argument.value)}" for argument in command.arguments)
    yield f"            Arguments = @({',' if len(command.arguments) == 1 else ''}{kinds})"
    yield f"            Many = ${str(any(argument.repeatable for argument in command.arguments)).lower()}"
    yield "        }"


def _options(command: CommandSpec) -> Iterator[str]:
    for option in command.options:
        kind = _kind(option.value) if option.value else "$null"
        for name in option.names:
            yield (
                f"    $table[{_quoted(command.key)}].Options[{_quoted(name)}] = "
                f"@{{ Kind = {kind}; Help = {_quoted(option.help)} }}"
            )


def _kind(value: ValueSpec) -> str:
    if value.choices:
        return _choices(value.choices)
    if value.dynamic:
        return f"@('dynamic', {_quoted(value.dynamic)})"
    return "@('files')" if value.files else "@('anything')"


def _choices(choices: tuple[Choice, ...]) -> str:
    return (
        f"@({', '.join(map(_quoted, ['words', *(part for choice in choices for part in (choice.text, choice.help))]))})"
    )


def _quoted(text: str) -> str:
    """Quote a text for PowerShell, to which typographic quotes are quotes, too.

    What is not ASCII is said in ASCII: a pipe between programs garbles it in the code pages of Windows.
    """
    text = text.replace("\u2026", "...")
    for mark in "'\u2018\u2019\u201a\u201b":
        text = text.replace(mark, mark * 2)
    return f"'{text}'"
