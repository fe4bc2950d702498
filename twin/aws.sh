#!/usr/bin/env bash
# The AWS command line, asking the running twin: a shell that sources the twin's environment file has it as `aws`.
# Version 1, which `make drill` brings, sends some services (sqs, rds, health) to AWS whatever AWS_ENDPOINT_URL says, and has no `logs tail`.
set -euo pipefail

if ! command -v aws > /dev/null; then
    echo "no AWS command line: \`make drill\` brings it" >&2
    exit 127
fi
ask=(aws --endpoint-url "$AWS_ENDPOINT_URL")
if [[ "${1-} ${2-}" != "logs tail" ]]; then
    exec "${ask[@]}" "$@"
fi
shift 2
since=10m others=()
while (($#)); do
    case "$1" in
        --since) since=${2-} && shift ;;
        -*) others+=("$1" "${2-}") && shift ;;
        *) others+=(--log-group-name "$1") ;;
    esac
    shift || true
done
case "$since" in
    *[0-9]s) seconds=1 ;;
    *[0-9]m) seconds=60 ;;
    *[0-9]h) seconds=3600 ;;
    *[0-9]d) seconds=86400 ;;
    *) echo "aws logs tail: --since takes a number and s, m, h or d in the twin, not '$since'" >&2 && exit 2 ;;
esac
begin=$((($(date +%s) - ${since%?} * seconds) * 1000))
found=$("${ask[@]}" logs filter-log-events --start-time "$begin" --query 'events[].[message]' --output text "${others[@]}")
if [[ -z "$found" ]]; then
    echo "no event in $since; the logs of Flink and OpenSearch are files in the twin, and its Firehose has none: docs/start/twin.md" >&2
else
    printf '%s\n' "$found"
fi
