# PowerShell completion for orvideo. Made by: python -m orvideo.completion. Do not edit.

Register-ArgumentCompleter -Native -CommandName orvideo, orvideo.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # For each command, by its path: the commands below it, its options, and what its arguments are. A kind is
    # @('words', word, help, ...), @('dynamic', kind), @('files') or @('anything').
    $table = @{
        '' = @{
            Commands = @('words', 'submit', 'Submit one video job', 'status', 'Look once at jobs and show how they are', 'wait', 'Follow jobs to their end, and save what they made', 'download', 'Fetch finished videos, again if need be', 'batch', 'Submit, follow and save many videos', 'join', 'Join videos to one film, in the order of the line', 'models', 'List the models: what they can do and cost', 'gallery', 'Write a page of videos to look at, compare and mark', 'open', 'Play saved videos', 'frame', 'Save one frame of a video as a picture', 'sheet', 'Draw frames of videos on one sheet', 'login', 'Sign in through the browser. orvideo gets a key of its own, tried and stored', 'logout', 'Forget the stored key, and say where it can be revoked', 'whoami', 'Say which key is used, and what is left of it', 'doctor', 'Check key, service, record, disk and versions', 'sandbox', 'Serve the whole video API on this machine', 'help', 'Show a page of help', 'jobs', 'The local record: list, search, show, mark, adopt, forget', 'config', 'Read and change the settings', 'completion', 'Let TAB complete commands, options, models and jobs')
            Order = @('--version', '-V', '--verbose', '-v', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'submit' = @{
            Commands = @('words')
            Order = @('--prompt-file', '--model', '-m', '--duration', '-d', '--resolution', '-r', '--aspect-ratio', '-a', '--size', '--audio', '--no-audio', '--seed', '--first-frame', '--last-frame', '--reference', '--continue', '--creativity', '--upscale', '--param', '--callback-url', '--user', '--session-id', '--trace', '--fix-image', '--request', '--like', '--no-check', '--wait', '-w', '--timeout', '--interval', '--exec', '--notify', '--output', '-o', '--force', '--receipt', '--max-size', '--max-cost', '--yes', '-y', '--dry-run', '--json', '--events', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('anything'))
            Many = $false
        }
        'status' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $true
        }
        'wait' = @{
            Commands = @('words')
            Order = @('--all', '--timeout', '--interval', '--exec', '--notify', '--output', '-o', '--force', '--receipt', '--max-size', '--json', '--events', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $true
        }
        'download' = @{
            Commands = @('words')
            Order = @('--all', '--output', '-o', '--force', '--receipt', '--max-size', '--timeout', '--json', '--events', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $true
        }
        'batch' = @{
            Commands = @('words')
            Order = @('--format', '--name', '--allow-outside', '--model', '-m', '--duration', '-d', '--resolution', '-r', '--aspect-ratio', '-a', '--size', '--audio', '--no-audio', '--seed', '--first-frame', '--last-frame', '--reference', '--creativity', '--upscale', '--param', '--callback-url', '--user', '--session-id', '--trace', '--fix-image', '--no-check', '--jobs', '-j', '--fail-fast', '--chain', '--retry-failed', '--timeout', '--interval', '--output', '-o', '--force', '--receipt', '--max-size', '--report', '--join', '--max-cost', '--yes', '-y', '--again', '--dry-run', '--json', '--events', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('files'))
            Many = $false
        }
        'join' = @{
            Commands = @('words')
            Order = @('--output', '-o', '--force', '--size', '--crossfade', '--keep-repeated', '--no-reencode', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('files'))
            Many = $true
        }
        'models' = @{
            Commands = @('words')
            Order = @('--duration', '-d', '--resolution', '-r', '--aspect-ratio', '-a', '--size', '--audio', '--no-audio', '--seed', '--first-frame', '--last-frame', '--max-cost', '--sort', '--refresh', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'models'))
            Many = $false
        }
        'gallery' = @{
            Commands = @('words')
            Order = @('--search', '-s', '--unfinished', '--unknown', '--not-downloaded', '--since', '--status', '--model', '-m', '--batch', '--marked', '--limit', '-n', '--output', '-o', '--force', '--open', '--no-open', '--serve', '--port', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $true
        }
        'open' = @{
            Commands = @('words')
            Order = @('--with', '--terminal', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'videos'))
            Many = $true
        }
        'frame' = @{
            Commands = @('words')
            Order = @('--at', '--output', '-o', '--force', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'videos'))
            Many = $false
        }
        'sheet' = @{
            Commands = @('words')
            Order = @('--grid', '--width', '--output', '-o', '--force', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'videos'))
            Many = $true
        }
        'login' = @{
            Commands = @('words')
            Order = @('--with-key', '--no-browser', '--label', '--timeout', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'logout' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'whoami' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'doctor' = @{
            Commands = @('words')
            Order = @('--move-record-aside', '--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'sandbox' = @{
            Commands = @('words')
            Order = @('--port', '--speed', '--fault', '--models', '--keep', '--webhook-secret', '--list-faults', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'help' = @{
            Commands = @('words')
            Order = @('--json', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('words', 'exit-codes', '', 'environment', '', 'output', '', 'schema', '', 'man', ''))
            Many = $false
        }
        'jobs' = @{
            Commands = @('words', 'list', 'List the jobs on record, newest first', 'show', 'Show everything on record about one job, and on a terminal a still of its video', 'mark', 'Mark jobs as keep or reject, or put a note on them; money and files stay as they are', 'adopt', 'Take a job from elsewhere into the record, after one look at it', 'forget', 'Remove jobs from the record; files and the jobs at the service stay')
            Order = @('--search', '-s', '--unfinished', '--unknown', '--not-downloaded', '--since', '--status', '--model', '-m', '--batch', '--marked', '--sort', '--reverse', '--columns', '--limit', '-n', '--cost', '--no-pager', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'jobs list' = @{
            Commands = @('words')
            Order = @('--search', '-s', '--unfinished', '--unknown', '--not-downloaded', '--since', '--status', '--model', '-m', '--batch', '--marked', '--sort', '--reverse', '--columns', '--limit', '-n', '--cost', '--no-pager', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'jobs show' = @{
            Commands = @('words')
            Order = @('--request', '--receipt', '--force', '--no-picture', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $false
        }
        'jobs mark' = @{
            Commands = @('words')
            Order = @('--keep', '--reject', '--clear', '--note', '--from', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $true
        }
        'jobs adopt' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--verbose', '-v', '--sandbox', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('anything'))
            Many = $false
        }
        'jobs forget' = @{
            Commands = @('words')
            Order = @('--force', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('dynamic', 'jobs'))
            Many = $true
        }
        'config' = @{
            Commands = @('words', 'list', 'Show every setting, its value and who said so', 'get', 'Print the value of one setting', 'set', 'Store a setting; api-key is asked for without echo, or read from stdin', 'unset', 'Remove a stored setting', 'profiles', 'List the profiles: whose key, base URL and defaults --profile selects', 'path', 'Print the folder of the settings')
            Order = @('--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'config list' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'config get' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('words', 'api-key', 'the key for the service', 'api-key-command', 'a command that prints the key', 'base-url', 'where the API is', 'model', 'the model; left open: the cheapest that fits', 'duration', 'the video''s length in whole seconds', 'resolution', '480p, 720p, 1080p, 4K, ...', 'aspect-ratio', '16:9, 9:16, 1:1, ...', 'audio', 'with or without sound', 'seed', 'the same seed aims at the same video', 'output', 'where videos are saved, as -o takes it', 'interval', 'a fixed time between looks, 2s at least', 'timeout', 'how long to wait for a job', 'max-cost', 'the most a job may cost, USD', 'confirm-above', 'ask on a terminal above this quote, USD', 'max-image-size', 'the largest image file that is sent', 'max-size', 'the largest video file that is saved', 'referer', 'names the application to the service: HTTP-Referer', 'title', 'names the application: X-OpenRouter-Title', 'categories', 'names its kind: X-OpenRouter-Categories', 'sandbox', 'use the built-in stand-in for the API', 'sandbox-speed', 'how many times as fast the sandbox''s time passes', 'player', 'what `open` plays videos with; left open: the system''s player', 'pictures', 'in the terminal: auto, off, kitty, iterm2, sixel, blocks'))
            Many = $false
        }
        'config set' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--verbose', '-v', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(@('words', 'api-key', 'the key for the service', 'api-key-command', 'a command that prints the key', 'base-url', 'where the API is', 'model', 'the model; left open: the cheapest that fits', 'duration', 'the video''s length in whole seconds', 'resolution', '480p, 720p, 1080p, 4K, ...', 'aspect-ratio', '16:9, 9:16, 1:1, ...', 'audio', 'with or without sound', 'seed', 'the same seed aims at the same video', 'output', 'where videos are saved, as -o takes it', 'interval', 'a fixed time between looks, 2s at least', 'timeout', 'how long to wait for a job', 'max-cost', 'the most a job may cost, USD', 'confirm-above', 'ask on a terminal above this quote, USD', 'max-image-size', 'the largest image file that is sent', 'max-size', 'the largest video file that is saved', 'referer', 'names the application to the service: HTTP-Referer', 'title', 'names the application: X-OpenRouter-Title', 'categories', 'names its kind: X-OpenRouter-Categories', 'sandbox', 'use the built-in stand-in for the API', 'sandbox-speed', 'how many times as fast the sandbox''s time passes', 'player', 'what `open` plays videos with; left open: the system''s player', 'pictures', 'in the terminal: auto, off, kitty, iterm2, sixel, blocks'), @('dynamic', 'setting-values'))
            Many = $false
        }
        'config unset' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('words', 'api-key', 'the key for the service', 'api-key-command', 'a command that prints the key', 'base-url', 'where the API is', 'model', 'the model; left open: the cheapest that fits', 'duration', 'the video''s length in whole seconds', 'resolution', '480p, 720p, 1080p, 4K, ...', 'aspect-ratio', '16:9, 9:16, 1:1, ...', 'audio', 'with or without sound', 'seed', 'the same seed aims at the same video', 'output', 'where videos are saved, as -o takes it', 'interval', 'a fixed time between looks, 2s at least', 'timeout', 'how long to wait for a job', 'max-cost', 'the most a job may cost, USD', 'confirm-above', 'ask on a terminal above this quote, USD', 'max-image-size', 'the largest image file that is sent', 'max-size', 'the largest video file that is saved', 'referer', 'names the application to the service: HTTP-Referer', 'title', 'names the application: X-OpenRouter-Title', 'categories', 'names its kind: X-OpenRouter-Categories', 'sandbox', 'use the built-in stand-in for the API', 'sandbox-speed', 'how many times as fast the sandbox''s time passes', 'player', 'what `open` plays videos with; left open: the system''s player', 'pictures', 'in the terminal: auto, off, kitty, iterm2, sixel, blocks'))
            Many = $false
        }
        'config profiles' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'config path' = @{
            Commands = @('words')
            Order = @('--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'completion' = @{
            Commands = @('words', 'install', 'Put the script where the shell finds it, and say what is left to do; no rc file is changed', 'show', 'Print the script, to keep it elsewhere or to package it')
            Order = @('--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @()
            Many = $false
        }
        'completion install' = @{
            Commands = @('words')
            Order = @('--force', '--json', '--quiet', '-q', '--profile', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('words', 'bash', '', 'zsh', '', 'fish', '', 'powershell', ''))
            Many = $false
        }
        'completion show' = @{
            Commands = @('words')
            Order = @('--json', '--help', '-h')
            Options = [System.Collections.Hashtable]::new([System.StringComparer]::Ordinal)
            Arguments = @(,@('words', 'bash', '', 'zsh', '', 'fish', '', 'powershell', ''))
            Many = $false
        }
    }
    $table[''].Options['--version'] = @{ Kind = $null; Help = 'Print the version' }
    $table[''].Options['-V'] = @{ Kind = $null; Help = 'Print the version' }
    $table[''].Options['--verbose'] = @{ Kind = $null; Help = 'With --version: also Python, system, place and extras' }
    $table[''].Options['-v'] = @{ Kind = $null; Help = 'With --version: also Python, system, place and extras' }
    $table[''].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table[''].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table[''].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['submit'].Options['--prompt-file'] = @{ Kind = @('files'); Help = 'Read the prompt from a file' }
    $table['submit'].Options['--model'] = @{ Kind = @('dynamic', 'models'); Help = 'The model' }
    $table['submit'].Options['-m'] = @{ Kind = @('dynamic', 'models'); Help = 'The model' }
    $table['submit'].Options['--duration'] = @{ Kind = @('dynamic', 'durations'); Help = 'Whole seconds' }
    $table['submit'].Options['-d'] = @{ Kind = @('dynamic', 'durations'); Help = 'Whole seconds' }
    $table['submit'].Options['--resolution'] = @{ Kind = @('dynamic', 'resolutions'); Help = '480p, 720p, 1080p, 4K, ...' }
    $table['submit'].Options['-r'] = @{ Kind = @('dynamic', 'resolutions'); Help = '480p, 720p, 1080p, 4K, ...' }
    $table['submit'].Options['--aspect-ratio'] = @{ Kind = @('dynamic', 'aspect-ratios'); Help = '16:9, 9:16, 1:1, ...' }
    $table['submit'].Options['-a'] = @{ Kind = @('dynamic', 'aspect-ratios'); Help = '16:9, 9:16, 1:1, ...' }
    $table['submit'].Options['--size'] = @{ Kind = @('dynamic', 'sizes'); Help = 'Exact pixels, instead of resolution and aspect ratio' }
    $table['submit'].Options['--audio'] = @{ Kind = $null; Help = 'With or without sound' }
    $table['submit'].Options['--no-audio'] = @{ Kind = $null; Help = 'With or without sound' }
    $table['submit'].Options['--seed'] = @{ Kind = @('anything'); Help = 'The same seed aims at the same video' }
    $table['submit'].Options['--first-frame'] = @{ Kind = @('files'); Help = 'The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last)...' }
    $table['submit'].Options['--last-frame'] = @{ Kind = @('files'); Help = 'The image it ends with, as above; of a video alone, its first frame' }
    $table['submit'].Options['--reference'] = @{ Kind = @('files'); Help = 'Something to be guided by: an image as above, or audio or video by https URL' }
    $table['submit'].Options['--continue'] = @{ Kind = @('dynamic', 'jobs'); Help = 'Go on from a completed job' }
    $table['submit'].Options['--creativity'] = @{ Kind = @('anything'); Help = 'How freely an upscaling model works' }
    $table['submit'].Options['--upscale'] = @{ Kind = @('anything'); Help = 'How many times larger, for upscaling' }
    $table['submit'].Options['--param'] = @{ Kind = @('anything'); Help = 'A parameter of the provider''s own; JSON where it is JSON' }
    $table['submit'].Options['--callback-url'] = @{ Kind = @('anything'); Help = 'An https URL to be told of the end at' }
    $table['submit'].Options['--user'] = @{ Kind = @('anything'); Help = 'Who asks, for your own logs' }
    $table['submit'].Options['--session-id'] = @{ Kind = @('anything'); Help = 'What this belongs to, for your own logs' }
    $table['submit'].Options['--trace'] = @{ Kind = @('anything'); Help = 'More for your own logs' }
    $table['submit'].Options['--fix-image'] = @{ Kind = $null; Help = 'Send pictures of this machine upright, in 8-bit sRGB, without metadata' }
    $table['submit'].Options['--request'] = @{ Kind = @('files'); Help = 'A whole request as JSON, as --dry-run prints it; - reads stdin' }
    $table['submit'].Options['--like'] = @{ Kind = @('dynamic', 'jobs'); Help = 'A new job with this one''s request' }
    $table['submit'].Options['--no-check'] = @{ Kind = $null; Help = 'Send even what the catalogue says cannot work' }
    $table['submit'].Options['--wait'] = @{ Kind = $null; Help = 'Follow the job to its end' }
    $table['submit'].Options['-w'] = @{ Kind = $null; Help = 'Follow the job to its end' }
    $table['submit'].Options['--timeout'] = @{ Kind = @('anything'); Help = 'Stop waiting after this time (90s, 20m, 1h); the job goes on' }
    $table['submit'].Options['--interval'] = @{ Kind = @('anything'); Help = 'Look this often instead of soon at first and then further apart' }
    $table['submit'].Options['--exec'] = @{ Kind = @('anything'); Help = 'Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set' }
    $table['submit'].Options['--notify'] = @{ Kind = $null; Help = 'Notify the desktop when a job ends, or ring the terminal''s bell' }
    $table['submit'].Options['--output'] = @{ Kind = @('files'); Help = 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or ...' }
    $table['submit'].Options['-o'] = @{ Kind = @('files'); Help = 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or ...' }
    $table['submit'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['submit'].Options['--receipt'] = @{ Kind = $null; Help = 'Beside each video, NAME.json: the request, the cost, the sum' }
    $table['submit'].Options['--max-size'] = @{ Kind = @('anything'); Help = 'Save no file that is larger (500MB, 2GiB)' }
    $table['submit'].Options['--max-cost'] = @{ Kind = @('anything'); Help = 'Send nothing if it, or the batch as a whole, may cost more' }
    $table['submit'].Options['--yes'] = @{ Kind = $null; Help = 'Do not ask before a purchase that is dear' }
    $table['submit'].Options['-y'] = @{ Kind = $null; Help = 'Do not ask before a purchase that is dear' }
    $table['submit'].Options['--dry-run'] = @{ Kind = $null; Help = 'Check, price, print the request, send nothing' }
    $table['submit'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['submit'].Options['--events'] = @{ Kind = $null; Help = 'Print one JSON object a line as things happen' }
    $table['submit'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['submit'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['submit'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['submit'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['submit'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['submit'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['submit'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['submit'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['status'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['status'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['status'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['status'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['status'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['status'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['status'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['status'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['status'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['wait'].Options['--all'] = @{ Kind = $null; Help = 'Every job that is not at its end' }
    $table['wait'].Options['--timeout'] = @{ Kind = @('anything'); Help = 'Stop waiting after this time (90s, 20m, 1h); the job goes on' }
    $table['wait'].Options['--interval'] = @{ Kind = @('anything'); Help = 'Look this often instead of soon at first and then further apart' }
    $table['wait'].Options['--exec'] = @{ Kind = @('anything'); Help = 'Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set' }
    $table['wait'].Options['--notify'] = @{ Kind = $null; Help = 'Notify the desktop when a job ends, or ring the terminal''s bell' }
    $table['wait'].Options['--output'] = @{ Kind = @('files'); Help = 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or ...' }
    $table['wait'].Options['-o'] = @{ Kind = @('files'); Help = 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or ...' }
    $table['wait'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['wait'].Options['--receipt'] = @{ Kind = $null; Help = 'Beside each video, NAME.json: the request, the cost, the sum' }
    $table['wait'].Options['--max-size'] = @{ Kind = @('anything'); Help = 'Save no file that is larger (500MB, 2GiB)' }
    $table['wait'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['wait'].Options['--events'] = @{ Kind = $null; Help = 'Print one JSON object a line as things happen' }
    $table['wait'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['wait'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['wait'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['wait'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['wait'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['wait'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['wait'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['wait'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['download'].Options['--all'] = @{ Kind = $null; Help = 'Every finished job that is not on this disk' }
    $table['download'].Options['--output'] = @{ Kind = @('files'); Help = 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or ...' }
    $table['download'].Options['-o'] = @{ Kind = @('files'); Help = 'Save the video here: a file, a directory, a name with fields such as {model} or {id}, or ...' }
    $table['download'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['download'].Options['--receipt'] = @{ Kind = $null; Help = 'Beside each video, NAME.json: the request, the cost, the sum' }
    $table['download'].Options['--max-size'] = @{ Kind = @('anything'); Help = 'Save no file that is larger (500MB, 2GiB)' }
    $table['download'].Options['--timeout'] = @{ Kind = @('anything'); Help = 'Stop waiting after this time (90s, 20m, 1h); the job goes on' }
    $table['download'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['download'].Options['--events'] = @{ Kind = $null; Help = 'Print one JSON object a line as things happen' }
    $table['download'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['download'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['download'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['download'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['download'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['download'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['download'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['download'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['batch'].Options['--format'] = @{ Kind = @('anything'); Help = 'jsonl, csv or text' }
    $table['batch'].Options['--name'] = @{ Kind = @('anything'); Help = 'Names the batch' }
    $table['batch'].Options['--allow-outside'] = @{ Kind = $null; Help = 'Rows may name files outside of FILE''s folder' }
    $table['batch'].Options['--model'] = @{ Kind = @('dynamic', 'models'); Help = 'The model' }
    $table['batch'].Options['-m'] = @{ Kind = @('dynamic', 'models'); Help = 'The model' }
    $table['batch'].Options['--duration'] = @{ Kind = @('dynamic', 'durations'); Help = 'Whole seconds' }
    $table['batch'].Options['-d'] = @{ Kind = @('dynamic', 'durations'); Help = 'Whole seconds' }
    $table['batch'].Options['--resolution'] = @{ Kind = @('dynamic', 'resolutions'); Help = '480p, 720p, 1080p, 4K, ...' }
    $table['batch'].Options['-r'] = @{ Kind = @('dynamic', 'resolutions'); Help = '480p, 720p, 1080p, 4K, ...' }
    $table['batch'].Options['--aspect-ratio'] = @{ Kind = @('dynamic', 'aspect-ratios'); Help = '16:9, 9:16, 1:1, ...' }
    $table['batch'].Options['-a'] = @{ Kind = @('dynamic', 'aspect-ratios'); Help = '16:9, 9:16, 1:1, ...' }
    $table['batch'].Options['--size'] = @{ Kind = @('dynamic', 'sizes'); Help = 'Exact pixels, instead of resolution and aspect ratio' }
    $table['batch'].Options['--audio'] = @{ Kind = $null; Help = 'With or without sound' }
    $table['batch'].Options['--no-audio'] = @{ Kind = $null; Help = 'With or without sound' }
    $table['batch'].Options['--seed'] = @{ Kind = @('anything'); Help = 'The same seed aims at the same video' }
    $table['batch'].Options['--first-frame'] = @{ Kind = @('files'); Help = 'The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last)...' }
    $table['batch'].Options['--last-frame'] = @{ Kind = @('files'); Help = 'The image it ends with, as above; of a video alone, its first frame' }
    $table['batch'].Options['--reference'] = @{ Kind = @('files'); Help = 'Something to be guided by: an image as above, or audio or video by https URL' }
    $table['batch'].Options['--creativity'] = @{ Kind = @('anything'); Help = 'How freely an upscaling model works' }
    $table['batch'].Options['--upscale'] = @{ Kind = @('anything'); Help = 'How many times larger, for upscaling' }
    $table['batch'].Options['--param'] = @{ Kind = @('anything'); Help = 'A parameter of the provider''s own; JSON where it is JSON' }
    $table['batch'].Options['--callback-url'] = @{ Kind = @('anything'); Help = 'An https URL to be told of the end at' }
    $table['batch'].Options['--user'] = @{ Kind = @('anything'); Help = 'Who asks, for your own logs' }
    $table['batch'].Options['--session-id'] = @{ Kind = @('anything'); Help = 'What this belongs to, for your own logs' }
    $table['batch'].Options['--trace'] = @{ Kind = @('anything'); Help = 'More for your own logs' }
    $table['batch'].Options['--fix-image'] = @{ Kind = $null; Help = 'Send pictures of this machine upright, in 8-bit sRGB, without metadata' }
    $table['batch'].Options['--no-check'] = @{ Kind = $null; Help = 'Send even what the catalogue says cannot work' }
    $table['batch'].Options['--jobs'] = @{ Kind = @('anything'); Help = 'Rows in flight at once' }
    $table['batch'].Options['-j'] = @{ Kind = @('anything'); Help = 'Rows in flight at once' }
    $table['batch'].Options['--fail-fast'] = @{ Kind = $null; Help = 'Start no more rows after the first failure' }
    $table['batch'].Options['--chain'] = @{ Kind = $null; Help = 'Each row begins with the last frame of the one before it in FILE' }
    $table['batch'].Options['--retry-failed'] = @{ Kind = $null; Help = 'Submit failed rows again, as new jobs that cost anew' }
    $table['batch'].Options['--timeout'] = @{ Kind = @('anything'); Help = 'Stop waiting after this time (90s, 20m, 1h); the job goes on' }
    $table['batch'].Options['--interval'] = @{ Kind = @('anything'); Help = 'Look this often instead of soon at first and then further apart' }
    $table['batch'].Options['--output'] = @{ Kind = @('files'); Help = 'A directory, or a name with fields such as {row}, {name}, {slug} or a row''s own' }
    $table['batch'].Options['-o'] = @{ Kind = @('files'); Help = 'A directory, or a name with fields such as {row}, {name}, {slug} or a row''s own' }
    $table['batch'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['batch'].Options['--receipt'] = @{ Kind = $null; Help = 'Beside each video, NAME.json: the request, the cost, the sum' }
    $table['batch'].Options['--max-size'] = @{ Kind = @('anything'); Help = 'Save no file that is larger (500MB, 2GiB)' }
    $table['batch'].Options['--report'] = @{ Kind = @('files'); Help = 'Write what became of each row: JSONL, or CSV for .csv' }
    $table['batch'].Options['--join'] = @{ Kind = @('files'); Help = 'Join the videos of all rows, in their order, to this film at the end' }
    $table['batch'].Options['--max-cost'] = @{ Kind = @('anything'); Help = 'Send nothing if it, or the batch as a whole, may cost more' }
    $table['batch'].Options['--yes'] = @{ Kind = $null; Help = 'Do not ask before a purchase that is dear' }
    $table['batch'].Options['-y'] = @{ Kind = $null; Help = 'Do not ask before a purchase that is dear' }
    $table['batch'].Options['--again'] = @{ Kind = $null; Help = 'Buy rows once more that another batch has bought' }
    $table['batch'].Options['--dry-run'] = @{ Kind = $null; Help = 'Check, price, print the request, send nothing' }
    $table['batch'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['batch'].Options['--events'] = @{ Kind = $null; Help = 'Print one JSON object a line as things happen' }
    $table['batch'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['batch'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['batch'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['batch'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['batch'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['batch'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['batch'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['batch'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['join'].Options['--output'] = @{ Kind = @('files'); Help = 'The film''s file; film.mp4 here without' }
    $table['join'].Options['-o'] = @{ Kind = @('files'); Help = 'The film''s file; film.mp4 here without' }
    $table['join'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['join'].Options['--size'] = @{ Kind = @('dynamic', 'sizes'); Help = 'Make it this large, such as 1280x720; as large as the first video without' }
    $table['join'].Options['--crossfade'] = @{ Kind = @('anything'); Help = 'Fade each video into the next for so long, such as 0.5s' }
    $table['join'].Options['--keep-repeated'] = @{ Kind = $null; Help = 'Keep the first frame of a video that goes on from the last one before' }
    $table['join'].Options['--no-reencode'] = @{ Kind = $null; Help = 'Copy frames and sound as they are, or make no film' }
    $table['join'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['join'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['join'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['join'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['join'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['join'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['join'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['join'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['join'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['models'].Options['--duration'] = @{ Kind = @('dynamic', 'durations'); Help = 'Whole seconds' }
    $table['models'].Options['-d'] = @{ Kind = @('dynamic', 'durations'); Help = 'Whole seconds' }
    $table['models'].Options['--resolution'] = @{ Kind = @('dynamic', 'resolutions'); Help = '480p, 720p, 1080p, 4K, ...' }
    $table['models'].Options['-r'] = @{ Kind = @('dynamic', 'resolutions'); Help = '480p, 720p, 1080p, 4K, ...' }
    $table['models'].Options['--aspect-ratio'] = @{ Kind = @('dynamic', 'aspect-ratios'); Help = '16:9, 9:16, 1:1, ...' }
    $table['models'].Options['-a'] = @{ Kind = @('dynamic', 'aspect-ratios'); Help = '16:9, 9:16, 1:1, ...' }
    $table['models'].Options['--size'] = @{ Kind = @('dynamic', 'sizes'); Help = 'Exact pixels, instead of resolution and aspect ratio' }
    $table['models'].Options['--audio'] = @{ Kind = $null; Help = 'With or without sound' }
    $table['models'].Options['--no-audio'] = @{ Kind = $null; Help = 'With or without sound' }
    $table['models'].Options['--seed'] = @{ Kind = @('anything'); Help = 'The same seed aims at the same video' }
    $table['models'].Options['--first-frame'] = @{ Kind = @('files'); Help = 'The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last)...' }
    $table['models'].Options['--last-frame'] = @{ Kind = @('files'); Help = 'The image it ends with, as above; of a video alone, its first frame' }
    $table['models'].Options['--max-cost'] = @{ Kind = @('anything'); Help = 'Costs at most this' }
    $table['models'].Options['--sort'] = @{ Kind = @('words', 'price', '', 'name', ''); Help = 'The order of the list' }
    $table['models'].Options['--refresh'] = @{ Kind = $null; Help = 'Ask the service even if the list is fresh' }
    $table['models'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['models'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['models'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['models'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['models'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['models'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['models'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['models'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['models'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['gallery'].Options['--search'] = @{ Kind = @('anything'); Help = 'In prompt, model or id' }
    $table['gallery'].Options['-s'] = @{ Kind = @('anything'); Help = 'In prompt, model or id' }
    $table['gallery'].Options['--unfinished'] = @{ Kind = $null; Help = 'Not at their end' }
    $table['gallery'].Options['--unknown'] = @{ Kind = $null; Help = 'Sent, outcome unknown' }
    $table['gallery'].Options['--not-downloaded'] = @{ Kind = $null; Help = 'Finished, not on this disk' }
    $table['gallery'].Options['--since'] = @{ Kind = @('anything'); Help = 'A date (2026-11-21), or an age such as 2h or 7d' }
    $table['gallery'].Options['--status'] = @{ Kind = @('anything'); Help = 'With this status, or one of these: completed,failed' }
    $table['gallery'].Options['--model'] = @{ Kind = @('dynamic', 'models'); Help = 'Of this model, or part of its name' }
    $table['gallery'].Options['-m'] = @{ Kind = @('dynamic', 'models'); Help = 'Of this model, or part of its name' }
    $table['gallery'].Options['--batch'] = @{ Kind = @('anything'); Help = 'Of this batch: its --name or file, or part of that' }
    $table['gallery'].Options['--marked'] = @{ Kind = @('words', 'keep', '', 'reject', '', 'any', '', 'none', ''); Help = 'Marked so (orvideo jobs mark)' }
    $table['gallery'].Options['--limit'] = @{ Kind = @('anything'); Help = 'At most N jobs, the newest' }
    $table['gallery'].Options['-n'] = @{ Kind = @('anything'); Help = 'At most N jobs, the newest' }
    $table['gallery'].Options['--output'] = @{ Kind = @('files'); Help = 'Write the page here: a file or a folder' }
    $table['gallery'].Options['-o'] = @{ Kind = @('files'); Help = 'Write the page here: a file or a folder' }
    $table['gallery'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['gallery'].Options['--open'] = @{ Kind = $null; Help = 'Open the page in the browser' }
    $table['gallery'].Options['--no-open'] = @{ Kind = $null; Help = 'Open the page in the browser' }
    $table['gallery'].Options['--serve'] = @{ Kind = $null; Help = 'Serve the page alive, for this machine alone: jobs move, marks go on record' }
    $table['gallery'].Options['--port'] = @{ Kind = @('anything'); Help = 'The port on 127.0.0.1' }
    $table['gallery'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['gallery'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['gallery'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['gallery'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['gallery'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['gallery'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['open'].Options['--with'] = @{ Kind = @('anything'); Help = 'Play with this command, which gets the paths last, or in place of {}' }
    $table['open'].Options['--terminal'] = @{ Kind = $null; Help = 'Draw a still here instead; of JOB:first, JOB:last or JOB:2.5s that one' }
    $table['open'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['open'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['open'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['open'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['open'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['open'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['open'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['open'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['open'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['frame'].Options['--at'] = @{ Kind = @('anything'); Help = 'first (the default), last, or a time such as 2.5s' }
    $table['frame'].Options['--output'] = @{ Kind = @('files'); Help = 'Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout' }
    $table['frame'].Options['-o'] = @{ Kind = @('files'); Help = 'Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout' }
    $table['frame'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['frame'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['frame'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['frame'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['frame'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['frame'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['frame'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['frame'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['frame'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['frame'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['sheet'].Options['--grid'] = @{ Kind = @('anything'); Help = 'Columns and rows; with several videos the rows are theirs' }
    $table['sheet'].Options['--width'] = @{ Kind = @('anything'); Help = 'At most so wide' }
    $table['sheet'].Options['--output'] = @{ Kind = @('files'); Help = 'Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout' }
    $table['sheet'].Options['-o'] = @{ Kind = @('files'); Help = 'Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout' }
    $table['sheet'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['sheet'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['sheet'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['sheet'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['sheet'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['sheet'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['sheet'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['sheet'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['sheet'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['sheet'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['login'].Options['--with-key'] = @{ Kind = $null; Help = 'Take a key that you have: typed without echo, or from stdin' }
    $table['login'].Options['--no-browser'] = @{ Kind = $null; Help = 'Open no browser: show the address, and ask for the code' }
    $table['login'].Options['--label'] = @{ Kind = @('anything'); Help = 'The key''s name' }
    $table['login'].Options['--timeout'] = @{ Kind = @('anything'); Help = 'How long to wait for the browser (90s, 10m)' }
    $table['login'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['login'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['login'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['login'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['login'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['login'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['login'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['login'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['login'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['logout'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['logout'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['logout'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['logout'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['logout'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['logout'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['whoami'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['whoami'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['whoami'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['whoami'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['whoami'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['whoami'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['whoami'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['whoami'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['whoami'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['doctor'].Options['--move-record-aside'] = @{ Kind = $null; Help = 'Move a record that cannot be used to a folder beside it, and stop' }
    $table['doctor'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['doctor'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['doctor'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['doctor'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['doctor'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['doctor'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['doctor'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['doctor'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['doctor'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['sandbox'].Options['--port'] = @{ Kind = @('anything'); Help = 'The port on 127.0.0.1; 0 takes a free one' }
    $table['sandbox'].Options['--speed'] = @{ Kind = @('anything'); Help = 'Time passes N times as fast as at the service' }
    $table['sandbox'].Options['--fault'] = @{ Kind = @('anything'); Help = 'Misbehave, repeatable; see --list-faults' }
    $table['sandbox'].Options['--models'] = @{ Kind = @('files'); Help = 'Offer the models of FILE, any answer of GET /videos/models' }
    $table['sandbox'].Options['--keep'] = @{ Kind = @('anything'); Help = 'Leave at most this on disk; the oldest films go first' }
    $table['sandbox'].Options['--webhook-secret'] = @{ Kind = @('anything'); Help = 'Sign callbacks with it' }
    $table['sandbox'].Options['--list-faults'] = @{ Kind = $null; Help = 'Show the faults and stop' }
    $table['sandbox'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['sandbox'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['sandbox'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['sandbox'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['sandbox'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['sandbox'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['help'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['help'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['help'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs'].Options['--search'] = @{ Kind = @('anything'); Help = 'In prompt, model or id' }
    $table['jobs'].Options['-s'] = @{ Kind = @('anything'); Help = 'In prompt, model or id' }
    $table['jobs'].Options['--unfinished'] = @{ Kind = $null; Help = 'Not at their end' }
    $table['jobs'].Options['--unknown'] = @{ Kind = $null; Help = 'Sent, outcome unknown' }
    $table['jobs'].Options['--not-downloaded'] = @{ Kind = $null; Help = 'Finished, not on this disk' }
    $table['jobs'].Options['--since'] = @{ Kind = @('anything'); Help = 'A date (2026-11-21), or an age such as 2h or 7d' }
    $table['jobs'].Options['--status'] = @{ Kind = @('anything'); Help = 'With this status, or one of these: completed,failed' }
    $table['jobs'].Options['--model'] = @{ Kind = @('dynamic', 'models'); Help = 'Of this model, or part of its name' }
    $table['jobs'].Options['-m'] = @{ Kind = @('dynamic', 'models'); Help = 'Of this model, or part of its name' }
    $table['jobs'].Options['--batch'] = @{ Kind = @('anything'); Help = 'Of this batch: its --name or file, or part of that' }
    $table['jobs'].Options['--marked'] = @{ Kind = @('words', 'keep', '', 'reject', '', 'any', '', 'none', ''); Help = 'Marked so (orvideo jobs mark)' }
    $table['jobs'].Options['--sort'] = @{ Kind = @('words', 'newest', '', 'oldest', '', 'cost', '', 'model', '', 'status', ''); Help = 'The order of the list; of cost, the dearest first' }
    $table['jobs'].Options['--reverse'] = @{ Kind = $null; Help = 'The other way round' }
    $table['jobs'].Options['--columns'] = @{ Kind = @('anything'); Help = 'Which columns, such as id,status,file' }
    $table['jobs'].Options['--limit'] = @{ Kind = @('anything'); Help = 'At most N jobs; 0 for all' }
    $table['jobs'].Options['-n'] = @{ Kind = @('anything'); Help = 'At most N jobs; 0 for all' }
    $table['jobs'].Options['--cost'] = @{ Kind = @('words', 'model', '', 'day', '', 'month', ''); Help = 'Sum what they cost, by model, day or month' }
    $table['jobs'].Options['--no-pager'] = @{ Kind = $null; Help = 'All at once, also where it is longer than the screen' }
    $table['jobs'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['jobs'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['jobs'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs list'].Options['--search'] = @{ Kind = @('anything'); Help = 'In prompt, model or id' }
    $table['jobs list'].Options['-s'] = @{ Kind = @('anything'); Help = 'In prompt, model or id' }
    $table['jobs list'].Options['--unfinished'] = @{ Kind = $null; Help = 'Not at their end' }
    $table['jobs list'].Options['--unknown'] = @{ Kind = $null; Help = 'Sent, outcome unknown' }
    $table['jobs list'].Options['--not-downloaded'] = @{ Kind = $null; Help = 'Finished, not on this disk' }
    $table['jobs list'].Options['--since'] = @{ Kind = @('anything'); Help = 'A date (2026-11-21), or an age such as 2h or 7d' }
    $table['jobs list'].Options['--status'] = @{ Kind = @('anything'); Help = 'With this status, or one of these: completed,failed' }
    $table['jobs list'].Options['--model'] = @{ Kind = @('dynamic', 'models'); Help = 'Of this model, or part of its name' }
    $table['jobs list'].Options['-m'] = @{ Kind = @('dynamic', 'models'); Help = 'Of this model, or part of its name' }
    $table['jobs list'].Options['--batch'] = @{ Kind = @('anything'); Help = 'Of this batch: its --name or file, or part of that' }
    $table['jobs list'].Options['--marked'] = @{ Kind = @('words', 'keep', '', 'reject', '', 'any', '', 'none', ''); Help = 'Marked so (orvideo jobs mark)' }
    $table['jobs list'].Options['--sort'] = @{ Kind = @('words', 'newest', '', 'oldest', '', 'cost', '', 'model', '', 'status', ''); Help = 'The order of the list; of cost, the dearest first' }
    $table['jobs list'].Options['--reverse'] = @{ Kind = $null; Help = 'The other way round' }
    $table['jobs list'].Options['--columns'] = @{ Kind = @('anything'); Help = 'Which columns, such as id,status,file' }
    $table['jobs list'].Options['--limit'] = @{ Kind = @('anything'); Help = 'At most N jobs; 0 for all' }
    $table['jobs list'].Options['-n'] = @{ Kind = @('anything'); Help = 'At most N jobs; 0 for all' }
    $table['jobs list'].Options['--cost'] = @{ Kind = @('words', 'model', '', 'day', '', 'month', ''); Help = 'Sum what they cost, by model, day or month' }
    $table['jobs list'].Options['--no-pager'] = @{ Kind = $null; Help = 'All at once, also where it is longer than the screen' }
    $table['jobs list'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['jobs list'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs list'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs list'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['jobs list'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs list'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs show'].Options['--request'] = @{ Kind = $null; Help = 'Only its request, as JSON that submit --request takes' }
    $table['jobs show'].Options['--receipt'] = @{ Kind = $null; Help = 'Write the receipts beside its videos, and answer with their paths' }
    $table['jobs show'].Options['--force'] = @{ Kind = $null; Help = 'Overwrite a file that is already there' }
    $table['jobs show'].Options['--no-picture'] = @{ Kind = $null; Help = 'Draw no still of its video' }
    $table['jobs show'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['jobs show'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs show'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs show'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['jobs show'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs show'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs mark'].Options['--keep'] = @{ Kind = $null; Help = 'Mark them as worth keeping' }
    $table['jobs mark'].Options['--reject'] = @{ Kind = $null; Help = 'Mark them as not worth keeping; no file is removed' }
    $table['jobs mark'].Options['--clear'] = @{ Kind = $null; Help = 'Remove mark and note, before what else is said' }
    $table['jobs mark'].Options['--note'] = @{ Kind = @('anything'); Help = 'A note on them' }
    $table['jobs mark'].Options['--from'] = @{ Kind = @('files'); Help = 'Read lines of a job, keep, reject or -, and a note, between tabs; - is stdin' }
    $table['jobs mark'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['jobs mark'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs mark'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs mark'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['jobs mark'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs mark'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs adopt'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['jobs adopt'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs adopt'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs adopt'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['jobs adopt'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['jobs adopt'].Options['--sandbox'] = @{ Kind = $null; Help = 'Use the built-in stand-in: free, offline, no key' }
    $table['jobs adopt'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['jobs adopt'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs adopt'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs forget'].Options['--force'] = @{ Kind = $null; Help = 'Even one that runs, or is not on this disk' }
    $table['jobs forget'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['jobs forget'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs forget'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['jobs forget'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['jobs forget'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['jobs forget'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config list'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['config list'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config list'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config list'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['config list'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config list'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config get'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['config get'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config get'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config get'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['config get'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config get'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config set'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['config set'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config set'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config set'].Options['--verbose'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['config set'].Options['-v'] = @{ Kind = $null; Help = 'Show each request, never the key' }
    $table['config set'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['config set'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config set'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config unset'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['config unset'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config unset'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config unset'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['config unset'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config unset'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config profiles'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['config profiles'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config profiles'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config profiles'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['config profiles'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config profiles'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config path'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['config path'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config path'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['config path'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['config path'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['config path'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['completion'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['completion'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['completion install'].Options['--force'] = @{ Kind = $null; Help = 'Replace a file that is not orvideo''s' }
    $table['completion install'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['completion install'].Options['--quiet'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['completion install'].Options['-q'] = @{ Kind = $null; Help = 'Only the answer and errors' }
    $table['completion install'].Options['--profile'] = @{ Kind = @('dynamic', 'profiles'); Help = 'Use this profile''s key and settings' }
    $table['completion install'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['completion install'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['completion show'].Options['--json'] = @{ Kind = $null; Help = 'Answer with one JSON document' }
    $table['completion show'].Options['--help'] = @{ Kind = $null; Help = 'Show this message and exit' }
    $table['completion show'].Options['-h'] = @{ Kind = $null; Help = 'Show this message and exit' }

    # PowerShell inserts a candidate unchanged, so it is quoted here where it has special characters.
    function Get-Quoted([string] $text) {
        if ($text -match '^[A-Za-z0-9%+=:./_-]+$') { return $text }
        return "'" + ($text -replace "['\u2018\u2019\u201A\u201B]", '$0$0') + "'"
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
