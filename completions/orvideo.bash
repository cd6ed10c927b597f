# bash completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

# Sets `commands` and `options` to those of the command $1; "" is orvideo itself.
__orvideo_offers() {
    commands='' options=''
    case $1 in
        '')
            commands='submit status wait download batch join models gallery open frame sheet login logout whoami doctor sandbox help jobs config completion'
            options='--version -V --verbose -v --profile --help -h'
            ;;
        submit)
            options='--prompt-file --model -m --duration -d --resolution -r --aspect-ratio -a --size --audio --no-audio --seed --first-frame --last-frame --reference --continue --creativity --upscale --param --callback-url --user --session-id --trace --fix-image --request --like --no-check --wait -w --timeout --interval --exec --notify --output -o --force --receipt --max-size --max-cost --yes -y --dry-run --json --events --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        status)
            options='--json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        wait)
            options='--all --timeout --interval --exec --notify --output -o --force --receipt --max-size --json --events --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        download)
            options='--all --output -o --force --receipt --max-size --timeout --json --events --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        batch)
            options='--format --name --allow-outside --model -m --duration -d --resolution -r --aspect-ratio -a --size --audio --no-audio --seed --first-frame --last-frame --reference --creativity --upscale --param --callback-url --user --session-id --trace --fix-image --no-check --jobs -j --fail-fast --chain --retry-failed --timeout --interval --output -o --force --receipt --max-size --report --join --max-cost --yes -y --again --dry-run --json --events --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        join)
            options='--output -o --force --size --crossfade --keep-repeated --no-reencode --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        models)
            options='--duration -d --resolution -r --aspect-ratio -a --size --audio --no-audio --seed --first-frame --last-frame --max-cost --sort --refresh --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        gallery)
            options='--search -s --unfinished --unknown --not-downloaded --since --status --model -m --batch --marked --limit -n --output -o --force --open --no-open --serve --port --json --quiet -q --profile --help -h'
            ;;
        open)
            options='--with --terminal --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        frame)
            options='--at --output -o --force --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        sheet)
            options='--grid --width --output -o --force --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        login)
            options='--with-key --no-browser --label --timeout --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        logout)
            options='--json --quiet -q --profile --help -h'
            ;;
        whoami)
            options='--json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        doctor)
            options='--move-record-aside --json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        sandbox)
            options='--port --speed --fault --models --keep --webhook-secret --list-faults --json --quiet -q --profile --help -h'
            ;;
        help)
            options='--json --help -h'
            ;;
        jobs)
            commands='list show mark adopt forget'
            options='--search -s --unfinished --unknown --not-downloaded --since --status --model -m --batch --marked --sort --reverse --columns --limit -n --cost --no-pager --json --quiet -q --profile --help -h'
            ;;
        'jobs list')
            options='--search -s --unfinished --unknown --not-downloaded --since --status --model -m --batch --marked --sort --reverse --columns --limit -n --cost --no-pager --json --quiet -q --profile --help -h'
            ;;
        'jobs show')
            options='--request --receipt --force --no-picture --json --quiet -q --profile --help -h'
            ;;
        'jobs mark')
            options='--keep --reject --clear --note --from --json --quiet -q --profile --help -h'
            ;;
        'jobs adopt')
            options='--json --quiet -q --verbose -v --sandbox --profile --help -h'
            ;;
        'jobs forget')
            options='--force --json --quiet -q --profile --help -h'
            ;;
        config)
            commands='list get set unset profiles path'
            options='--help -h'
            ;;
        'config list')
            options='--json --quiet -q --profile --help -h'
            ;;
        'config get')
            options='--json --quiet -q --profile --help -h'
            ;;
        'config set')
            options='--json --quiet -q --verbose -v --profile --help -h'
            ;;
        'config unset')
            options='--json --quiet -q --profile --help -h'
            ;;
        'config profiles')
            options='--json --quiet -q --profile --help -h'
            ;;
        'config path')
            options='--json --quiet -q --profile --help -h'
            ;;
        completion)
            commands='install show'
            options='--help -h'
            ;;
        'completion install')
            options='--force --json --quiet -q --profile --help -h'
            ;;
        'completion show')
            options='--json --help -h'
            ;;
    esac
}

# Sets `kind` to what the option $2 of the command $1 takes: files, dynamic KIND, words ... or anything; "" for a flag.
__orvideo_value() {
    kind=''
    case "$1 $2" in
        ' --profile') kind='dynamic profiles' ;;
        'submit --prompt-file') kind='files' ;;
        'submit --model'|'submit -m') kind='dynamic models' ;;
        'submit --duration'|'submit -d') kind='dynamic durations' ;;
        'submit --resolution'|'submit -r') kind='dynamic resolutions' ;;
        'submit --aspect-ratio'|'submit -a') kind='dynamic aspect-ratios' ;;
        'submit --size') kind='dynamic sizes' ;;
        'submit --seed') kind='anything' ;;
        'submit --first-frame') kind='files' ;;
        'submit --last-frame') kind='files' ;;
        'submit --reference') kind='files' ;;
        'submit --continue') kind='dynamic jobs' ;;
        'submit --creativity') kind='anything' ;;
        'submit --upscale') kind='anything' ;;
        'submit --param') kind='anything' ;;
        'submit --callback-url') kind='anything' ;;
        'submit --user') kind='anything' ;;
        'submit --session-id') kind='anything' ;;
        'submit --trace') kind='anything' ;;
        'submit --request') kind='files' ;;
        'submit --like') kind='dynamic jobs' ;;
        'submit --timeout') kind='anything' ;;
        'submit --interval') kind='anything' ;;
        'submit --exec') kind='anything' ;;
        'submit --output'|'submit -o') kind='files' ;;
        'submit --max-size') kind='anything' ;;
        'submit --max-cost') kind='anything' ;;
        'submit --profile') kind='dynamic profiles' ;;
        'status --profile') kind='dynamic profiles' ;;
        'wait --timeout') kind='anything' ;;
        'wait --interval') kind='anything' ;;
        'wait --exec') kind='anything' ;;
        'wait --output'|'wait -o') kind='files' ;;
        'wait --max-size') kind='anything' ;;
        'wait --profile') kind='dynamic profiles' ;;
        'download --output'|'download -o') kind='files' ;;
        'download --max-size') kind='anything' ;;
        'download --timeout') kind='anything' ;;
        'download --profile') kind='dynamic profiles' ;;
        'batch --format') kind='anything' ;;
        'batch --name') kind='anything' ;;
        'batch --model'|'batch -m') kind='dynamic models' ;;
        'batch --duration'|'batch -d') kind='dynamic durations' ;;
        'batch --resolution'|'batch -r') kind='dynamic resolutions' ;;
        'batch --aspect-ratio'|'batch -a') kind='dynamic aspect-ratios' ;;
        'batch --size') kind='dynamic sizes' ;;
        'batch --seed') kind='anything' ;;
        'batch --first-frame') kind='files' ;;
        'batch --last-frame') kind='files' ;;
        'batch --reference') kind='files' ;;
        'batch --creativity') kind='anything' ;;
        'batch --upscale') kind='anything' ;;
        'batch --param') kind='anything' ;;
        'batch --callback-url') kind='anything' ;;
        'batch --user') kind='anything' ;;
        'batch --session-id') kind='anything' ;;
        'batch --trace') kind='anything' ;;
        'batch --jobs'|'batch -j') kind='anything' ;;
        'batch --timeout') kind='anything' ;;
        'batch --interval') kind='anything' ;;
        'batch --output'|'batch -o') kind='files' ;;
        'batch --max-size') kind='anything' ;;
        'batch --report') kind='files' ;;
        'batch --join') kind='files' ;;
        'batch --max-cost') kind='anything' ;;
        'batch --profile') kind='dynamic profiles' ;;
        'join --output'|'join -o') kind='files' ;;
        'join --size') kind='dynamic sizes' ;;
        'join --crossfade') kind='anything' ;;
        'join --profile') kind='dynamic profiles' ;;
        'models --duration'|'models -d') kind='dynamic durations' ;;
        'models --resolution'|'models -r') kind='dynamic resolutions' ;;
        'models --aspect-ratio'|'models -a') kind='dynamic aspect-ratios' ;;
        'models --size') kind='dynamic sizes' ;;
        'models --seed') kind='anything' ;;
        'models --first-frame') kind='files' ;;
        'models --last-frame') kind='files' ;;
        'models --max-cost') kind='anything' ;;
        'models --sort') kind='words price name' ;;
        'models --profile') kind='dynamic profiles' ;;
        'gallery --search'|'gallery -s') kind='anything' ;;
        'gallery --since') kind='anything' ;;
        'gallery --status') kind='anything' ;;
        'gallery --model'|'gallery -m') kind='dynamic models' ;;
        'gallery --batch') kind='anything' ;;
        'gallery --marked') kind='words keep reject any none' ;;
        'gallery --limit'|'gallery -n') kind='anything' ;;
        'gallery --output'|'gallery -o') kind='files' ;;
        'gallery --port') kind='anything' ;;
        'gallery --profile') kind='dynamic profiles' ;;
        'open --with') kind='anything' ;;
        'open --profile') kind='dynamic profiles' ;;
        'frame --at') kind='anything' ;;
        'frame --output'|'frame -o') kind='files' ;;
        'frame --profile') kind='dynamic profiles' ;;
        'sheet --grid') kind='anything' ;;
        'sheet --width') kind='anything' ;;
        'sheet --output'|'sheet -o') kind='files' ;;
        'sheet --profile') kind='dynamic profiles' ;;
        'login --label') kind='anything' ;;
        'login --timeout') kind='anything' ;;
        'login --profile') kind='dynamic profiles' ;;
        'logout --profile') kind='dynamic profiles' ;;
        'whoami --profile') kind='dynamic profiles' ;;
        'doctor --profile') kind='dynamic profiles' ;;
        'sandbox --port') kind='anything' ;;
        'sandbox --speed') kind='anything' ;;
        'sandbox --fault') kind='anything' ;;
        'sandbox --models') kind='files' ;;
        'sandbox --keep') kind='anything' ;;
        'sandbox --webhook-secret') kind='anything' ;;
        'sandbox --profile') kind='dynamic profiles' ;;
        'jobs --search'|'jobs -s') kind='anything' ;;
        'jobs --since') kind='anything' ;;
        'jobs --status') kind='anything' ;;
        'jobs --model'|'jobs -m') kind='dynamic models' ;;
        'jobs --batch') kind='anything' ;;
        'jobs --marked') kind='words keep reject any none' ;;
        'jobs --sort') kind='words newest oldest cost model status' ;;
        'jobs --columns') kind='anything' ;;
        'jobs --limit'|'jobs -n') kind='anything' ;;
        'jobs --cost') kind='words model day month' ;;
        'jobs --profile') kind='dynamic profiles' ;;
        'jobs list --search'|'jobs list -s') kind='anything' ;;
        'jobs list --since') kind='anything' ;;
        'jobs list --status') kind='anything' ;;
        'jobs list --model'|'jobs list -m') kind='dynamic models' ;;
        'jobs list --batch') kind='anything' ;;
        'jobs list --marked') kind='words keep reject any none' ;;
        'jobs list --sort') kind='words newest oldest cost model status' ;;
        'jobs list --columns') kind='anything' ;;
        'jobs list --limit'|'jobs list -n') kind='anything' ;;
        'jobs list --cost') kind='words model day month' ;;
        'jobs list --profile') kind='dynamic profiles' ;;
        'jobs show --profile') kind='dynamic profiles' ;;
        'jobs mark --note') kind='anything' ;;
        'jobs mark --from') kind='files' ;;
        'jobs mark --profile') kind='dynamic profiles' ;;
        'jobs adopt --profile') kind='dynamic profiles' ;;
        'jobs forget --profile') kind='dynamic profiles' ;;
        'config list --profile') kind='dynamic profiles' ;;
        'config get --profile') kind='dynamic profiles' ;;
        'config set --profile') kind='dynamic profiles' ;;
        'config unset --profile') kind='dynamic profiles' ;;
        'config profiles --profile') kind='dynamic profiles' ;;
        'config path --profile') kind='dynamic profiles' ;;
        'completion install --profile') kind='dynamic profiles' ;;
    esac
}

# Sets `kind` to what the argument number $2 of the command $1 is.
__orvideo_argument() {
    kind=''
    case "$1 $2" in
        'status '*) kind='dynamic jobs' ;;
        'wait '*) kind='dynamic jobs' ;;
        'download '*) kind='dynamic jobs' ;;
        'batch '0) kind='files' ;;
        'join '*) kind='files' ;;
        'models '0) kind='dynamic models' ;;
        'gallery '*) kind='dynamic jobs' ;;
        'open '*) kind='dynamic videos' ;;
        'frame '0) kind='dynamic videos' ;;
        'sheet '*) kind='dynamic videos' ;;
        'help '0) kind='words exit-codes environment output schema man' ;;
        'jobs show '0) kind='dynamic jobs' ;;
        'jobs mark '*) kind='dynamic jobs' ;;
        'jobs forget '*) kind='dynamic jobs' ;;
        'config get '0) kind='words api-key api-key-command base-url model duration resolution aspect-ratio audio seed output interval timeout max-cost confirm-above max-image-size max-size referer title categories sandbox sandbox-speed player pictures' ;;
        'config set '0) kind='words api-key api-key-command base-url model duration resolution aspect-ratio audio seed output interval timeout max-cost confirm-above max-image-size max-size referer title categories sandbox sandbox-speed player pictures' ;;
        'config set '1) kind='dynamic setting-values' ;;
        'config unset '0) kind='words api-key api-key-command base-url model duration resolution aspect-ratio audio seed output interval timeout max-cost confirm-above max-image-size max-size referer title categories sandbox sandbox-speed player pictures' ;;
        'completion install '0) kind='words bash zsh fish powershell' ;;
        'completion show '0) kind='words bash zsh fish powershell' ;;
    esac
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
