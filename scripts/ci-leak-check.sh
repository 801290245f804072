#!/usr/bin/env bash
# The gate as a step of a CI: builds heapsoak, runs `heapsoak check`, and leaves everything a CI can show.
#
#   scripts/ci-leak-check.sh [ARGUMENTS OF CHECK…]
#
# Exits with the code of `heapsoak check`: 0 passed, 3 failed, 4 undecided, 5 the server died, 7 invalid (docs/gate.md).
#
# HEAPSOAK   the program, when it is built already; otherwise it is built here with cargo, in release mode
# OUT        folder for report, recordings, JUnit, SARIF and Markdown (reports/ci); an old one is replaced
# BASELINE   the baseline (heapsoak-baseline.toml, if it is there)
#
# On GitHub Actions it also prints annotations, adds to the step's summary, and sets the outputs `outcome`, `exit-code`,
# `report` and `comment`.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${OUT:-reports/ci}
program=${HEAPSOAK:-}
if [ -z "$program" ]; then
    command -v cargo >/dev/null || { echo "cargo is missing: install Rust, or set HEAPSOAK to a built program" >&2; exit 2; }
    cargo build --release --locked --manifest-path "$home/Cargo.toml" --package heapsoak >&2
    program=${CARGO_TARGET_DIR:-$home/target}/release/heapsoak
fi
[ -x "$program" ] || { echo "$program is not a program: set HEAPSOAK to a built heapsoak" >&2; exit 2; }

arguments=("$@")
baseline=${BASELINE:-}
if [ -z "$baseline" ] && [ -e heapsoak-baseline.toml ]; then
    baseline=heapsoak-baseline.toml
fi
[ -z "$baseline" ] || arguments+=(--baseline "$baseline")

# Only a folder that an earlier check wrote is replaced.
if [ -e "$out" ]; then
    if [ -n "$(find "$out" -mindepth 1 -maxdepth 1 -print -quit)" ] && [ ! -e "$out/gate.json" ]; then
        echo "$out holds something else than an earlier check: set OUT to another folder" >&2
        exit 2
    fi
    rm -rf "$out"
fi

code=0
"$program" check "${arguments[@]}" --out "$out" || code=$?

if [ "${GITHUB_ACTIONS:-}" = true ] && [ -e "$out/annotations.txt" ]; then
    cat "$out/annotations.txt"
fi
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -e "$out/summary.md" ]; then
    cat "$out/summary.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    case $code in
        0) outcome=passed ;;
        3) outcome=failed ;;
        4) outcome=undecided ;;
        *) outcome=invalid ;;
    esac
    {
        echo "outcome=$outcome"
        echo "exit-code=$code"
        echo "report=$out/report.html"
        echo "comment=$out/report.md"
    } >>"$GITHUB_OUTPUT"
fi
exit "$code"
