#!/usr/bin/env bash
# The whole trip with curl and jq, as a careful person writes it: a prompt that may hold quotes, a stop at an error, a
# key that `ps` does not show. There is no record, no sync to the disk, and no check of what came.
# Usage: trip.sh BASE_URL PROMPT OUTPUT; the key is in OPENROUTER_API_KEY.
set -euo pipefail

ask() { curl --silent --show-error --fail --config <(printf 'header = "Authorization: Bearer %s"' "$OPENROUTER_API_KEY") "$@"; }

order=$(jq -n --arg prompt "$2" '{model: "google/veo-3.1-lite", prompt: $prompt, duration: 4, resolution: "720p"}')
id=$(ask --json "$order" "$1/videos" | jq -er .id)
while true; do
    job=$(ask "$1/videos/$id")
    case $(jq -er .status <<<"$job") in
        completed) break ;;
        failed | cancelled | expired) jq -r .error <<<"$job" >&2 && exit 1 ;;
        *) sleep 5 ;;
    esac
done
ask --output "$3" "$(jq -er '.unsigned_urls[0]' <<<"$job")"
