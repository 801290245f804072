#!/usr/bin/env bash
# The soak before a release: hours of requests against one and the same server process, then the gate.
#
#   scripts/soak.sh [DURATION [SCENARIO…]]      e.g. scripts/soak.sh 8h fixed
#
# DURATION is a number with s, m or h (4h), shared out evenly among the scenarios (fixed). A short pilot run of each measures
# how many requests a second it does; the long run then sends as many as fit, in one go: what leaks slowly shows only in a
# process that lives long. Each is gated as in a CI, against the baseline if there is one.
#
# Leaves OUT (reports/soak-<time>) with a folder for each scenario, and prints which report to open. Exits with the worst code
# of the gates.
#
# HEAPSOAK   the program, when it is built already; otherwise it is built here with cargo, in release mode
# BASELINE   the baseline, if the runs are to be compared; not by itself, since a baseline of short runs says little of long ones
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage() { sed -n '2,/^set /p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }

duration=${1:-4h}
[[ $duration =~ ^([0-9]+)([smh])$ ]] || usage
seconds=${BASH_REMATCH[1]}
case ${BASH_REMATCH[2]} in
    m) seconds=$((seconds * 60)) ;;
    h) seconds=$((seconds * 3600)) ;;
esac
[ "$seconds" -gt 0 ] || usage
scenarios=("${@:2}")
[ "${#scenarios[@]}" -gt 0 ] || scenarios=(fixed)
share=$((seconds / ${#scenarios[@]}))
[ "$share" -gt 0 ] || { echo "$duration is too short for ${#scenarios[@]} scenarios" >&2; exit 2; }

program=${HEAPSOAK:-}
if [ -z "$program" ]; then
    command -v cargo >/dev/null || { echo "cargo is missing: install Rust, or set HEAPSOAK to a built program" >&2; exit 2; }
    cargo build --release --locked --manifest-path "$home/Cargo.toml" --package heapsoak >&2
    program=${CARGO_TARGET_DIR:-$home/target}/release/heapsoak
fi
[ -x "$program" ] || { echo "$program is not a program: set HEAPSOAK to a built heapsoak" >&2; exit 2; }

out=${OUT:-reports/soak-$(date -u +%Y-%m-%dT%H-%M-%SZ)}
mkdir -p "$out"
compare=()
[ -z "${BASELINE:-}" ] || compare=(--baseline "$BASELINE")

# The number after a name in the pilot's recording: of the last line, its end.
ended() { tail -n 1 "$1/recording.jsonl" | sed -n "s/.*\"$2\":\\([0-9]*\\).*/\\1/p"; }

# What keeps a run from being judged is worse than what it shows.
rank() { case $1 in 0) echo 0 ;; 4) echo 1 ;; 3) echo 2 ;; 7) echo 3 ;; 6) echo 4 ;; 5) echo 5 ;; 2) echo 6 ;; *) echo 7 ;; esac; }

worst=0
for scenario in "${scenarios[@]}"; do
    name=$(basename "$scenario" .toml)
    code=0
    "$program" soak "$scenario" --requests 600 --out "$out/$name-pilot" --quiet >/dev/null || code=$?
    case $code in
        0 | 3 | 4) ;;
        *) echo "the pilot run of $name exited with $code: see $out/$name-pilot" >&2; exit "$code" ;;
    esac
    requests=$(ended "$out/$name-pilot" requests)
    elapsed_ms=$(ended "$out/$name-pilot" elapsed_ms)
    most=$((requests * share * 1000 / (elapsed_ms > 0 ? elapsed_ms : 1)))
    [ "$most" -ge 600 ] || most=600
    echo "== $name: $most requests in about $share s" >&2
    code=0
    "$program" check "$scenario" --requests "$most" --out "$out/$name" "${compare[@]}" || code=$?
    echo "== $name: exit code $code, report in $out/$name/report.html" >&2
    [ "$(rank "$code")" -le "$(rank "$worst")" ] || worst=$code
done
exit "$worst"
