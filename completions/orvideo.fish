# fish completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

# Returns 0 if the option $argv[2] of the command $argv[1] takes a value.
function __orvideo_takes_value
    switch "$argv[1] $argv[2]"
        case \
            ' --profile' \
            'submit --prompt-file' \
            'submit --model' \
            'submit -m' \
            'submit --duration' \
            'submit -d' \
            'submit --resolution' \
            'submit -r' \
            'submit --aspect-ratio' \
            'submit -a' \
            'submit --size' \
            'submit --seed' \
            'submit --first-frame' \
            'submit --last-frame' \
            'submit --reference' \
            'submit --continue' \
            'submit --creativity' \
            'submit --upscale' \
            'submit --param' \
            'submit --callback-url' \
            'submit --user' \
            'submit --session-id' \
            'submit --trace' \
            'submit --request' \
            'submit --like' \
            'submit --timeout' \
            'submit --interval' \
            'submit --exec' \
            'submit --output' \
            'submit -o' \
            'submit --max-size' \
            'submit --max-cost' \
            'submit --profile' \
            'status --profile' \
            'wait --timeout' \
            'wait --interval' \
            'wait --exec' \
            'wait --output' \
            'wait -o' \
            'wait --max-size' \
            'wait --profile' \
            'download --output' \
            'download -o' \
            'download --max-size' \
            'download --timeout' \
            'download --profile' \
            'batch --format' \
            'batch --name' \
            'batch --model' \
            'batch -m' \
            'batch --duration' \
            'batch -d' \
            'batch --resolution' \
            'batch -r' \
            'batch --aspect-ratio' \
            'batch -a' \
            'batch --size' \
            'batch --seed' \
            'batch --first-frame' \
            'batch --last-frame' \
            'batch --reference' \
            'batch --creativity' \
            'batch --upscale' \
            'batch --param' \
            'batch --callback-url' \
            'batch --user' \
            'batch --session-id' \
            'batch --trace' \
            'batch --jobs' \
            'batch -j' \
            'batch --timeout' \
            'batch --interval' \
            'batch --output' \
            'batch -o' \
            'batch --max-size' \
            'batch --report' \
            'batch --join' \
            'batch --max-cost' \
            'batch --profile' \
            'join --output' \
            'join -o' \
            'join --size' \
            'join --crossfade' \
            'join --profile' \
            'models --duration' \
            'models -d' \
            'models --resolution' \
            'models -r' \
            'models --aspect-ratio' \
            'models -a' \
            'models --size' \
            'models --seed' \
            'models --first-frame' \
            'models --last-frame' \
            'models --max-cost' \
            'models --sort' \
            'models --profile' \
            'gallery --search' \
            'gallery -s' \
            'gallery --since' \
            'gallery --status' \
            'gallery --model' \
            'gallery -m' \
            'gallery --batch' \
            'gallery --marked' \
            'gallery --limit' \
            'gallery -n' \
            'gallery --output' \
            'gallery -o' \
            'gallery --port' \
            'gallery --profile' \
            'open --with' \
            'open --profile' \
            'frame --at' \
            'frame --output' \
            'frame -o' \
            'frame --profile' \
            'sheet --grid' \
            'sheet --width' \
            'sheet --output' \
            'sheet -o' \
            'sheet --profile' \
            'login --label' \
            'login --timeout' \
            'login --profile' \
            'logout --profile' \
            'whoami --profile' \
            'doctor --profile' \
            'sandbox --port' \
            'sandbox --speed' \
            'sandbox --fault' \
            'sandbox --models' \
            'sandbox --keep' \
            'sandbox --webhook-secret' \
            'sandbox --profile' \
            'jobs --search' \
            'jobs -s' \
            'jobs --since' \
            'jobs --status' \
            'jobs --model' \
            'jobs -m' \
            'jobs --batch' \
            'jobs --marked' \
            'jobs --sort' \
            'jobs --columns' \
            'jobs --limit' \
            'jobs -n' \
            'jobs --cost' \
            'jobs --profile' \
            'jobs list --search' \
            'jobs list -s' \
            'jobs list --since' \
            'jobs list --status' \
            'jobs list --model' \
            'jobs list -m' \
            'jobs list --batch' \
            'jobs list --marked' \
            'jobs list --sort' \
            'jobs list --columns' \
            'jobs list --limit' \
            'jobs list -n' \
            'jobs list --cost' \
            'jobs list --profile' \
            'jobs show --profile' \
            'jobs mark --note' \
            'jobs mark --from' \
            'jobs mark --profile' \
            'jobs adopt --profile' \
            'jobs forget --profile' \
            'config list --profile' \
            'config get --profile' \
            'config set --profile' \
            'config unset --profile' \
            'config profiles --profile' \
            'config path --profile' \
            'completion install --profile'
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
set -g __orvideo_commands 'submit' 'status' 'wait' 'download' 'batch' 'join' 'models' 'gallery' 'open' 'frame' 'sheet' 'login' 'logout' 'whoami' 'doctor' 'sandbox' 'help' 'jobs' 'jobs list' 'jobs show' 'jobs mark' 'jobs adopt' 'jobs forget' 'config' 'config list' 'config get' 'config set' 'config unset' 'config profiles' 'config path' 'completion' 'completion install' 'completion show'

complete -c orvideo -n '__orvideo_at \'\' 0' -a submit -d 'Submit one video job'
complete -c orvideo -n '__orvideo_at \'\' 0' -a status -d 'Look once at jobs and show how they are'
complete -c orvideo -n '__orvideo_at \'\' 0' -a wait -d 'Follow jobs to their end, and save what they made'
complete -c orvideo -n '__orvideo_at \'\' 0' -a download -d 'Fetch finished videos, again if need be'
complete -c orvideo -n '__orvideo_at \'\' 0' -a batch -d 'Submit, follow and save many videos'
complete -c orvideo -n '__orvideo_at \'\' 0' -a join -d 'Join videos to one film, in the order of the line'
complete -c orvideo -n '__orvideo_at \'\' 0' -a models -d 'List the models: what they can do and cost'
complete -c orvideo -n '__orvideo_at \'\' 0' -a gallery -d 'Write a page of videos to look at, compare and mark'
complete -c orvideo -n '__orvideo_at \'\' 0' -a open -d 'Play saved videos'
complete -c orvideo -n '__orvideo_at \'\' 0' -a frame -d 'Save one frame of a video as a picture'
complete -c orvideo -n '__orvideo_at \'\' 0' -a sheet -d 'Draw frames of videos on one sheet'
complete -c orvideo -n '__orvideo_at \'\' 0' -a login -d 'Sign in through the browser. orvideo gets a key of its own, tried and stored'
complete -c orvideo -n '__orvideo_at \'\' 0' -a logout -d 'Forget the stored key, and say where it can be revoked'
complete -c orvideo -n '__orvideo_at \'\' 0' -a whoami -d 'Say which key is used, and what is left of it'
complete -c orvideo -n '__orvideo_at \'\' 0' -a doctor -d 'Check key, service, record, disk and versions'
complete -c orvideo -n '__orvideo_at \'\' 0' -a sandbox -d 'Serve the whole video API on this machine'
complete -c orvideo -n '__orvideo_at \'\' 0' -a help -d 'Show a page of help'
complete -c orvideo -n '__orvideo_at \'\' 0' -a jobs -d 'The local record: list, search, show, mark, adopt, forget'
complete -c orvideo -n '__orvideo_at \'\' 0' -a config -d 'Read and change the settings'
complete -c orvideo -n '__orvideo_at \'\' 0' -a completion -d 'Let TAB complete commands, options, models and jobs'
complete -c orvideo -n '__orvideo_at \'\'' -l version -s V -d 'Print the version'
complete -c orvideo -n '__orvideo_at \'\'' -l verbose -s v -d 'With --version: also Python, system, place and extras'
complete -c orvideo -n '__orvideo_at \'\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'submit\'' -l prompt-file -d 'Read the prompt from a file' -r -F
complete -c orvideo -n '__orvideo_at \'submit\'' -l model -s m -d 'The model' -x -k -a '(__orvideo_dynamic models)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l duration -s d -d 'Whole seconds' -x -k -a '(__orvideo_dynamic durations)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l resolution -s r -d '480p, 720p, 1080p, 4K, ...' -x -k -a '(__orvideo_dynamic resolutions)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l aspect-ratio -s a -d '16:9, 9:16, 1:1, ...' -x -k -a '(__orvideo_dynamic aspect-ratios)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l size -d 'Exact pixels, instead of resolution and aspect ratio' -x -k -a '(__orvideo_dynamic sizes)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l audio -l no-audio -d 'With or without sound'
complete -c orvideo -n '__orvideo_at \'submit\'' -l seed -d 'The same seed aims at the same video' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l first-frame -d 'The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last)…' -r -F
complete -c orvideo -n '__orvideo_at \'submit\'' -l last-frame -d 'The image it ends with, as above; of a video alone, its first frame' -r -F
complete -c orvideo -n '__orvideo_at \'submit\'' -l reference -d 'Something to be guided by: an image as above, or audio or video by https URL' -r -F
complete -c orvideo -n '__orvideo_at \'submit\'' -l continue -d 'Go on from a completed job' -x -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l creativity -d 'How freely an upscaling model works' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l upscale -d 'How many times larger, for upscaling' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l param -d 'A parameter of the provider\'s own; JSON where it is JSON' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l callback-url -d 'An https URL to be told of the end at' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l user -d 'Who asks, for your own logs' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l session-id -d 'What this belongs to, for your own logs' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l trace -d 'More for your own logs' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l fix-image -d 'Send pictures of this machine upright, in 8-bit sRGB, without metadata'
complete -c orvideo -n '__orvideo_at \'submit\'' -l request -d 'A whole request as JSON, as --dry-run prints it; - reads stdin' -r -F
complete -c orvideo -n '__orvideo_at \'submit\'' -l like -d 'A new job with this one\'s request' -x -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l no-check -d 'Send even what the catalogue says cannot work'
complete -c orvideo -n '__orvideo_at \'submit\'' -l wait -s w -d 'Follow the job to its end'
complete -c orvideo -n '__orvideo_at \'submit\'' -l timeout -d 'Stop waiting after this time (90s, 20m, 1h); the job goes on' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l interval -d 'Look this often instead of soon at first and then further apart' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l exec -d 'Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l notify -d 'Notify the desktop when a job ends, or ring the terminal\'s bell'
complete -c orvideo -n '__orvideo_at \'submit\'' -l output -s o -d 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or …' -r -F
complete -c orvideo -n '__orvideo_at \'submit\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'submit\'' -l receipt -d 'Beside each video, NAME.json: the request, the cost, the sum'
complete -c orvideo -n '__orvideo_at \'submit\'' -l max-size -d 'Save no file that is larger (500MB, 2GiB)' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l max-cost -d 'Send nothing if it, or the batch as a whole, may cost more' -x
complete -c orvideo -n '__orvideo_at \'submit\'' -l yes -s y -d 'Do not ask before a purchase that is dear'
complete -c orvideo -n '__orvideo_at \'submit\'' -l dry-run -d 'Check, price, print the request, send nothing'
complete -c orvideo -n '__orvideo_at \'submit\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'submit\'' -l events -d 'Print one JSON object a line as things happen'
complete -c orvideo -n '__orvideo_at \'submit\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'submit\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'submit\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'submit\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'submit\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'status\'' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'status\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'status\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'status\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'status\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'status\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'status\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'wait\'' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'wait\'' -l all -d 'Every job that is not at its end'
complete -c orvideo -n '__orvideo_at \'wait\'' -l timeout -d 'Stop waiting after this time (90s, 20m, 1h); the job goes on' -x
complete -c orvideo -n '__orvideo_at \'wait\'' -l interval -d 'Look this often instead of soon at first and then further apart' -x
complete -c orvideo -n '__orvideo_at \'wait\'' -l exec -d 'Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set' -x
complete -c orvideo -n '__orvideo_at \'wait\'' -l notify -d 'Notify the desktop when a job ends, or ring the terminal\'s bell'
complete -c orvideo -n '__orvideo_at \'wait\'' -l output -s o -d 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or …' -r -F
complete -c orvideo -n '__orvideo_at \'wait\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'wait\'' -l receipt -d 'Beside each video, NAME.json: the request, the cost, the sum'
complete -c orvideo -n '__orvideo_at \'wait\'' -l max-size -d 'Save no file that is larger (500MB, 2GiB)' -x
complete -c orvideo -n '__orvideo_at \'wait\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'wait\'' -l events -d 'Print one JSON object a line as things happen'
complete -c orvideo -n '__orvideo_at \'wait\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'wait\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'wait\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'wait\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'wait\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'download\'' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'download\'' -l all -d 'Every finished job that is not on this disk'
complete -c orvideo -n '__orvideo_at \'download\'' -l output -s o -d 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or …' -r -F
complete -c orvideo -n '__orvideo_at \'download\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'download\'' -l receipt -d 'Beside each video, NAME.json: the request, the cost, the sum'
complete -c orvideo -n '__orvideo_at \'download\'' -l max-size -d 'Save no file that is larger (500MB, 2GiB)' -x
complete -c orvideo -n '__orvideo_at \'download\'' -l timeout -d 'Stop waiting after this time (90s, 20m, 1h); the job goes on' -x
complete -c orvideo -n '__orvideo_at \'download\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'download\'' -l events -d 'Print one JSON object a line as things happen'
complete -c orvideo -n '__orvideo_at \'download\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'download\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'download\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'download\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'download\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'batch\' 0' -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l format -d 'jsonl, csv or text' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l name -d 'Names the batch' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l allow-outside -d 'Rows may name files outside of FILE\'s folder'
complete -c orvideo -n '__orvideo_at \'batch\'' -l model -s m -d 'The model' -x -k -a '(__orvideo_dynamic models)'
complete -c orvideo -n '__orvideo_at \'batch\'' -l duration -s d -d 'Whole seconds' -x -k -a '(__orvideo_dynamic durations)'
complete -c orvideo -n '__orvideo_at \'batch\'' -l resolution -s r -d '480p, 720p, 1080p, 4K, ...' -x -k -a '(__orvideo_dynamic resolutions)'
complete -c orvideo -n '__orvideo_at \'batch\'' -l aspect-ratio -s a -d '16:9, 9:16, 1:1, ...' -x -k -a '(__orvideo_dynamic aspect-ratios)'
complete -c orvideo -n '__orvideo_at \'batch\'' -l size -d 'Exact pixels, instead of resolution and aspect ratio' -x -k -a '(__orvideo_dynamic sizes)'
complete -c orvideo -n '__orvideo_at \'batch\'' -l audio -l no-audio -d 'With or without sound'
complete -c orvideo -n '__orvideo_at \'batch\'' -l seed -d 'The same seed aims at the same video' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l first-frame -d 'The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last)…' -r -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l last-frame -d 'The image it ends with, as above; of a video alone, its first frame' -r -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l reference -d 'Something to be guided by: an image as above, or audio or video by https URL' -r -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l creativity -d 'How freely an upscaling model works' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l upscale -d 'How many times larger, for upscaling' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l param -d 'A parameter of the provider\'s own; JSON where it is JSON' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l callback-url -d 'An https URL to be told of the end at' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l user -d 'Who asks, for your own logs' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l session-id -d 'What this belongs to, for your own logs' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l trace -d 'More for your own logs' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l fix-image -d 'Send pictures of this machine upright, in 8-bit sRGB, without metadata'
complete -c orvideo -n '__orvideo_at \'batch\'' -l no-check -d 'Send even what the catalogue says cannot work'
complete -c orvideo -n '__orvideo_at \'batch\'' -l jobs -s j -d 'Rows in flight at once' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l fail-fast -d 'Start no more rows after the first failure'
complete -c orvideo -n '__orvideo_at \'batch\'' -l chain -d 'Each row begins with the last frame of the one before it in FILE'
complete -c orvideo -n '__orvideo_at \'batch\'' -l retry-failed -d 'Submit failed rows again, as new jobs that cost anew'
complete -c orvideo -n '__orvideo_at \'batch\'' -l timeout -d 'Stop waiting after this time (90s, 20m, 1h); the job goes on' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l interval -d 'Look this often instead of soon at first and then further apart' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l output -s o -d 'A directory, or a name with fields such as {row}, {name}, {slug} or a row\'s own' -r -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'batch\'' -l receipt -d 'Beside each video, NAME.json: the request, the cost, the sum'
complete -c orvideo -n '__orvideo_at \'batch\'' -l max-size -d 'Save no file that is larger (500MB, 2GiB)' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l report -d 'Write what became of each row: JSONL, or CSV for .csv' -r -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l join -d 'Join the videos of all rows, in their order, to this film at the end' -r -F
complete -c orvideo -n '__orvideo_at \'batch\'' -l max-cost -d 'Send nothing if it, or the batch as a whole, may cost more' -x
complete -c orvideo -n '__orvideo_at \'batch\'' -l yes -s y -d 'Do not ask before a purchase that is dear'
complete -c orvideo -n '__orvideo_at \'batch\'' -l again -d 'Buy rows once more that another batch has bought'
complete -c orvideo -n '__orvideo_at \'batch\'' -l dry-run -d 'Check, price, print the request, send nothing'
complete -c orvideo -n '__orvideo_at \'batch\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'batch\'' -l events -d 'Print one JSON object a line as things happen'
complete -c orvideo -n '__orvideo_at \'batch\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'batch\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'batch\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'batch\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'batch\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'join\'' -F
complete -c orvideo -n '__orvideo_at \'join\'' -l output -s o -d 'The film\'s file; film.mp4 here without' -r -F
complete -c orvideo -n '__orvideo_at \'join\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'join\'' -l size -d 'Make it this large, such as 1280x720; as large as the first video without' -x -k -a '(__orvideo_dynamic sizes)'
complete -c orvideo -n '__orvideo_at \'join\'' -l crossfade -d 'Fade each video into the next for so long, such as 0.5s' -x
complete -c orvideo -n '__orvideo_at \'join\'' -l keep-repeated -d 'Keep the first frame of a video that goes on from the last one before'
complete -c orvideo -n '__orvideo_at \'join\'' -l no-reencode -d 'Copy frames and sound as they are, or make no film'
complete -c orvideo -n '__orvideo_at \'join\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'join\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'join\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'join\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'join\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'join\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'models\' 0' -k -a '(__orvideo_dynamic models)'
complete -c orvideo -n '__orvideo_at \'models\'' -l duration -s d -d 'Whole seconds' -x -k -a '(__orvideo_dynamic durations)'
complete -c orvideo -n '__orvideo_at \'models\'' -l resolution -s r -d '480p, 720p, 1080p, 4K, ...' -x -k -a '(__orvideo_dynamic resolutions)'
complete -c orvideo -n '__orvideo_at \'models\'' -l aspect-ratio -s a -d '16:9, 9:16, 1:1, ...' -x -k -a '(__orvideo_dynamic aspect-ratios)'
complete -c orvideo -n '__orvideo_at \'models\'' -l size -d 'Exact pixels, instead of resolution and aspect ratio' -x -k -a '(__orvideo_dynamic sizes)'
complete -c orvideo -n '__orvideo_at \'models\'' -l audio -l no-audio -d 'With or without sound'
complete -c orvideo -n '__orvideo_at \'models\'' -l seed -d 'The same seed aims at the same video' -x
complete -c orvideo -n '__orvideo_at \'models\'' -l first-frame -d 'The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last)…' -r -F
complete -c orvideo -n '__orvideo_at \'models\'' -l last-frame -d 'The image it ends with, as above; of a video alone, its first frame' -r -F
complete -c orvideo -n '__orvideo_at \'models\'' -l max-cost -d 'Costs at most this' -x
complete -c orvideo -n '__orvideo_at \'models\'' -l sort -d 'The order of the list' -x -a 'price name'
complete -c orvideo -n '__orvideo_at \'models\'' -l refresh -d 'Ask the service even if the list is fresh'
complete -c orvideo -n '__orvideo_at \'models\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'models\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'models\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'models\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'models\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'models\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'gallery\'' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l search -s s -d 'In prompt, model or id' -x
complete -c orvideo -n '__orvideo_at \'gallery\'' -l unfinished -d 'Not at their end'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l unknown -d 'Sent, outcome unknown'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l not-downloaded -d 'Finished, not on this disk'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l since -d 'A date (2026-11-21), or an age such as 2h or 7d' -x
complete -c orvideo -n '__orvideo_at \'gallery\'' -l status -d 'With this status, or one of these: completed,failed' -x
complete -c orvideo -n '__orvideo_at \'gallery\'' -l model -s m -d 'Of this model, or part of its name' -x -k -a '(__orvideo_dynamic models)'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l batch -d 'Of this batch: its --name or file, or part of that' -x
complete -c orvideo -n '__orvideo_at \'gallery\'' -l marked -d 'Marked so (orvideo jobs mark)' -x -a 'keep reject any none'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l limit -s n -d 'At most N jobs, the newest' -x
complete -c orvideo -n '__orvideo_at \'gallery\'' -l output -s o -d 'Write the page here: a file or a folder' -r -F
complete -c orvideo -n '__orvideo_at \'gallery\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l open -l no-open -d 'Open the page in the browser'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l serve -d 'Serve the page alive, for this machine alone: jobs move, marks go on record'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l port -d 'The port on 127.0.0.1' -x
complete -c orvideo -n '__orvideo_at \'gallery\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'gallery\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'open\'' -k -a '(__orvideo_dynamic videos)'
complete -c orvideo -n '__orvideo_at \'open\'' -l with -d 'Play with this command, which gets the paths last, or in place of {}' -x
complete -c orvideo -n '__orvideo_at \'open\'' -l terminal -d 'Draw a still here instead; of JOB:first, JOB:last or JOB:2.5s that one'
complete -c orvideo -n '__orvideo_at \'open\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'open\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'open\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'open\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'open\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'open\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'frame\' 0' -k -a '(__orvideo_dynamic videos)'
complete -c orvideo -n '__orvideo_at \'frame\'' -l at -d 'first (the default), last, or a time such as 2.5s' -x
complete -c orvideo -n '__orvideo_at \'frame\'' -l output -s o -d 'Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout' -r -F
complete -c orvideo -n '__orvideo_at \'frame\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'frame\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'frame\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'frame\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'frame\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'frame\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'frame\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'sheet\'' -k -a '(__orvideo_dynamic videos)'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l grid -d 'Columns and rows; with several videos the rows are theirs' -x
complete -c orvideo -n '__orvideo_at \'sheet\'' -l width -d 'At most so wide' -x
complete -c orvideo -n '__orvideo_at \'sheet\'' -l output -s o -d 'Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout' -r -F
complete -c orvideo -n '__orvideo_at \'sheet\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'sheet\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'login\'' -l with-key -d 'Take a key that you have: typed without echo, or from stdin'
complete -c orvideo -n '__orvideo_at \'login\'' -l no-browser -d 'Open no browser: show the address, and ask for the code'
complete -c orvideo -n '__orvideo_at \'login\'' -l label -d 'The key\'s name' -x
complete -c orvideo -n '__orvideo_at \'login\'' -l timeout -d 'How long to wait for the browser (90s, 10m)' -x
complete -c orvideo -n '__orvideo_at \'login\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'login\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'login\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'login\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'login\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'login\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'logout\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'logout\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'logout\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'logout\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'whoami\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'whoami\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'whoami\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'whoami\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'whoami\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'whoami\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l move-record-aside -d 'Move a record that cannot be used to a folder beside it, and stop'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'doctor\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l port -d 'The port on 127.0.0.1; 0 takes a free one' -x
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l speed -d 'Time passes N times as fast as at the service' -x
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l fault -d 'Misbehave, repeatable; see --list-faults' -x
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l models -d 'Offer the models of FILE, any answer of GET /videos/models' -r -F
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l keep -d 'Leave at most this on disk; the oldest films go first' -x
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l webhook-secret -d 'Sign callbacks with it' -x
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l list-faults -d 'Show the faults and stop'
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'sandbox\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'help\' 0' -a 'exit-codes environment output schema man'
complete -c orvideo -n '__orvideo_at \'help\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'help\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'jobs\' 0' -a list -d 'List the jobs on record, newest first'
complete -c orvideo -n '__orvideo_at \'jobs\' 0' -a show -d 'Show everything on record about one job, and on a terminal a still of its video'
complete -c orvideo -n '__orvideo_at \'jobs\' 0' -a mark -d 'Mark jobs as keep or reject, or put a note on them; money and files stay as they are'
complete -c orvideo -n '__orvideo_at \'jobs\' 0' -a adopt -d 'Take a job from elsewhere into the record, after one look at it'
complete -c orvideo -n '__orvideo_at \'jobs\' 0' -a forget -d 'Remove jobs from the record; files and the jobs at the service stay'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l search -s s -d 'In prompt, model or id' -x
complete -c orvideo -n '__orvideo_at \'jobs\'' -l unfinished -d 'Not at their end'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l unknown -d 'Sent, outcome unknown'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l not-downloaded -d 'Finished, not on this disk'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l since -d 'A date (2026-11-21), or an age such as 2h or 7d' -x
complete -c orvideo -n '__orvideo_at \'jobs\'' -l status -d 'With this status, or one of these: completed,failed' -x
complete -c orvideo -n '__orvideo_at \'jobs\'' -l model -s m -d 'Of this model, or part of its name' -x -k -a '(__orvideo_dynamic models)'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l batch -d 'Of this batch: its --name or file, or part of that' -x
complete -c orvideo -n '__orvideo_at \'jobs\'' -l marked -d 'Marked so (orvideo jobs mark)' -x -a 'keep reject any none'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l sort -d 'The order of the list; of cost, the dearest first' -x -a 'newest oldest cost model status'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l reverse -d 'The other way round'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l columns -d 'Which columns, such as id,status,file' -x
complete -c orvideo -n '__orvideo_at \'jobs\'' -l limit -s n -d 'At most N jobs; 0 for all' -x
complete -c orvideo -n '__orvideo_at \'jobs\'' -l cost -d 'Sum what they cost, by model, day or month' -x -a 'model day month'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l no-pager -d 'All at once, also where it is longer than the screen'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'jobs\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l search -s s -d 'In prompt, model or id' -x
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l unfinished -d 'Not at their end'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l unknown -d 'Sent, outcome unknown'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l not-downloaded -d 'Finished, not on this disk'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l since -d 'A date (2026-11-21), or an age such as 2h or 7d' -x
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l status -d 'With this status, or one of these: completed,failed' -x
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l model -s m -d 'Of this model, or part of its name' -x -k -a '(__orvideo_dynamic models)'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l batch -d 'Of this batch: its --name or file, or part of that' -x
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l marked -d 'Marked so (orvideo jobs mark)' -x -a 'keep reject any none'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l sort -d 'The order of the list; of cost, the dearest first' -x -a 'newest oldest cost model status'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l reverse -d 'The other way round'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l columns -d 'Which columns, such as id,status,file' -x
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l limit -s n -d 'At most N jobs; 0 for all' -x
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l cost -d 'Sum what they cost, by model, day or month' -x -a 'model day month'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l no-pager -d 'All at once, also where it is longer than the screen'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'jobs list\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'jobs show\' 0' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l request -d 'Only its request, as JSON that submit --request takes'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l receipt -d 'Write the receipts beside its videos, and answer with their paths'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l force -d 'Overwrite a file that is already there'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l no-picture -d 'Draw no still of its video'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'jobs show\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l keep -d 'Mark them as worth keeping'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l reject -d 'Mark them as not worth keeping; no file is removed'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l clear -d 'Remove mark and note, before what else is said'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l note -d 'A note on them' -x
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l from -d 'Read lines of a job, keep, reject or -, and a note, between tabs; - is stdin' -r -F
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'jobs mark\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'jobs adopt\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'jobs adopt\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'jobs adopt\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'jobs adopt\'' -l sandbox -d 'Use the built-in stand-in: free, offline, no key'
complete -c orvideo -n '__orvideo_at \'jobs adopt\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'jobs adopt\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'jobs forget\'' -k -a '(__orvideo_dynamic jobs)'
complete -c orvideo -n '__orvideo_at \'jobs forget\'' -l force -d 'Even one that runs, or is not on this disk'
complete -c orvideo -n '__orvideo_at \'jobs forget\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'jobs forget\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'jobs forget\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'jobs forget\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config\' 0' -a list -d 'Show every setting, its value and who said so'
complete -c orvideo -n '__orvideo_at \'config\' 0' -a get -d 'Print the value of one setting'
complete -c orvideo -n '__orvideo_at \'config\' 0' -a set -d 'Store a setting; api-key is asked for without echo, or read from stdin'
complete -c orvideo -n '__orvideo_at \'config\' 0' -a unset -d 'Remove a stored setting'
complete -c orvideo -n '__orvideo_at \'config\' 0' -a profiles -d 'List the profiles: whose key, base URL and defaults --profile selects'
complete -c orvideo -n '__orvideo_at \'config\' 0' -a path -d 'Print the folder of the settings'
complete -c orvideo -n '__orvideo_at \'config\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config list\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'config list\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'config list\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'config list\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a api-key -d 'the key for the service'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a api-key-command -d 'a command that prints the key'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a base-url -d 'where the API is'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a model -d 'the model; left open: the cheapest that fits'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a duration -d 'the video\'s length in whole seconds'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a resolution -d '480p, 720p, 1080p, 4K, ...'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a aspect-ratio -d '16:9, 9:16, 1:1, ...'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a audio -d 'with or without sound'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a seed -d 'the same seed aims at the same video'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a output -d 'where videos are saved, as -o takes it'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a interval -d 'a fixed time between looks, 2s at least'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a timeout -d 'how long to wait for a job'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a max-cost -d 'the most a job may cost, USD'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a confirm-above -d 'ask on a terminal above this quote, USD'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a max-image-size -d 'the largest image file that is sent'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a max-size -d 'the largest video file that is saved'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a referer -d 'names the application to the service: HTTP-Referer'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a title -d 'names the application: X-OpenRouter-Title'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a categories -d 'names its kind: X-OpenRouter-Categories'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a sandbox -d 'use the built-in stand-in for the API'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a sandbox-speed -d 'how many times as fast the sandbox\'s time passes'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a player -d 'what `open` plays videos with; left open: the system\'s player'
complete -c orvideo -n '__orvideo_at \'config get\' 0' -a pictures -d 'in the terminal: auto, off, kitty, iterm2, sixel, blocks'
complete -c orvideo -n '__orvideo_at \'config get\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'config get\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'config get\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'config get\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a api-key -d 'the key for the service'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a api-key-command -d 'a command that prints the key'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a base-url -d 'where the API is'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a model -d 'the model; left open: the cheapest that fits'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a duration -d 'the video\'s length in whole seconds'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a resolution -d '480p, 720p, 1080p, 4K, ...'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a aspect-ratio -d '16:9, 9:16, 1:1, ...'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a audio -d 'with or without sound'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a seed -d 'the same seed aims at the same video'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a output -d 'where videos are saved, as -o takes it'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a interval -d 'a fixed time between looks, 2s at least'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a timeout -d 'how long to wait for a job'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a max-cost -d 'the most a job may cost, USD'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a confirm-above -d 'ask on a terminal above this quote, USD'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a max-image-size -d 'the largest image file that is sent'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a max-size -d 'the largest video file that is saved'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a referer -d 'names the application to the service: HTTP-Referer'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a title -d 'names the application: X-OpenRouter-Title'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a categories -d 'names its kind: X-OpenRouter-Categories'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a sandbox -d 'use the built-in stand-in for the API'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a sandbox-speed -d 'how many times as fast the sandbox\'s time passes'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a player -d 'what `open` plays videos with; left open: the system\'s player'
complete -c orvideo -n '__orvideo_at \'config set\' 0' -a pictures -d 'in the terminal: auto, off, kitty, iterm2, sixel, blocks'
complete -c orvideo -n '__orvideo_at \'config set\' 1' -k -a '(__orvideo_dynamic setting-values)'
complete -c orvideo -n '__orvideo_at \'config set\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'config set\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'config set\'' -l verbose -s v -d 'Show each request, never the key'
complete -c orvideo -n '__orvideo_at \'config set\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'config set\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a api-key -d 'the key for the service'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a api-key-command -d 'a command that prints the key'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a base-url -d 'where the API is'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a model -d 'the model; left open: the cheapest that fits'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a duration -d 'the video\'s length in whole seconds'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a resolution -d '480p, 720p, 1080p, 4K, ...'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a aspect-ratio -d '16:9, 9:16, 1:1, ...'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a audio -d 'with or without sound'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a seed -d 'the same seed aims at the same video'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a output -d 'where videos are saved, as -o takes it'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a interval -d 'a fixed time between looks, 2s at least'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a timeout -d 'how long to wait for a job'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a max-cost -d 'the most a job may cost, USD'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a confirm-above -d 'ask on a terminal above this quote, USD'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a max-image-size -d 'the largest image file that is sent'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a max-size -d 'the largest video file that is saved'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a referer -d 'names the application to the service: HTTP-Referer'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a title -d 'names the application: X-OpenRouter-Title'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a categories -d 'names its kind: X-OpenRouter-Categories'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a sandbox -d 'use the built-in stand-in for the API'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a sandbox-speed -d 'how many times as fast the sandbox\'s time passes'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a player -d 'what `open` plays videos with; left open: the system\'s player'
complete -c orvideo -n '__orvideo_at \'config unset\' 0' -a pictures -d 'in the terminal: auto, off, kitty, iterm2, sixel, blocks'
complete -c orvideo -n '__orvideo_at \'config unset\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'config unset\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'config unset\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'config unset\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config profiles\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'config profiles\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'config profiles\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'config profiles\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'config path\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'config path\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'config path\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'config path\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'completion\' 0' -a install -d 'Put the script where the shell finds it, and say what is left to do; no rc file is changed'
complete -c orvideo -n '__orvideo_at \'completion\' 0' -a show -d 'Print the script, to keep it elsewhere or to package it'
complete -c orvideo -n '__orvideo_at \'completion\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'completion install\' 0' -a 'bash zsh fish powershell'
complete -c orvideo -n '__orvideo_at \'completion install\'' -l force -d 'Replace a file that is not orvideo\'s'
complete -c orvideo -n '__orvideo_at \'completion install\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'completion install\'' -l quiet -s q -d 'Only the answer and errors'
complete -c orvideo -n '__orvideo_at \'completion install\'' -l profile -d 'Use this profile\'s key and settings' -x -k -a '(__orvideo_dynamic profiles)'
complete -c orvideo -n '__orvideo_at \'completion install\'' -l help -s h -d 'Show this message and exit'
complete -c orvideo -n '__orvideo_at \'completion show\' 0' -a 'bash zsh fish powershell'
complete -c orvideo -n '__orvideo_at \'completion show\'' -l json -d 'Answer with one JSON document'
complete -c orvideo -n '__orvideo_at \'completion show\'' -l help -s h -d 'Show this message and exit'
