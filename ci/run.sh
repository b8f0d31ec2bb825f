#!/usr/bin/env bash
# Runs the suite that install.sh installed, shows the verdict where the CI system looks for it, and ends with the suite's own exit code.
#   SUITE_VENV          the environment that install.sh made (required)
#   SUITE_BASE_URL      the target; `embedded` is the suite's own emulator, to try the set-up out
#   SUITE_TARGET        the target file
#   SUITE_PROFILE       core or platform
#   SUITE_FAIL_ON_GAPS  true or false
#   SUITE_WAIVERS       the waivers file
#   SUITE_REPORT_DIR    where the outputs go (default: delivery-conformance-report)
# Every value is handed to the suite as one argument, whatever is in it; none is evaluated.
set -euo pipefail
venv=${SUITE_VENV:?the directory that install.sh installed into}
report=${SUITE_REPORT_DIR:-delivery-conformance-report}

wrong() {
  echo "delivery-conformance: $*" >&2
  exit 4
}

# An unset variable of the pipeline must not turn a check of staging into a green check of the emulator.
[[ -n ${SUITE_BASE_URL:-} || -n ${SUITE_TARGET:-} ]] || wrong "neither a base URL nor a target file was given ('embedded' as the base URL is the suite's own emulator)"
[[ $report != *$'\n'* ]] || wrong "the report directory's name has a line break in it"

options=("--report-dir=$report")
[[ ${SUITE_BASE_URL:-} == embedded || -z ${SUITE_BASE_URL:-} ]] || options+=("--base-url=$SUITE_BASE_URL")
[[ -z ${SUITE_TARGET:-} ]] || options+=("--target=$SUITE_TARGET")
[[ -z ${SUITE_PROFILE:-} ]] || options+=("--profile=$SUITE_PROFILE")
[[ -z ${SUITE_WAIVERS:-} ]] || options+=("--waivers=$SUITE_WAIVERS")
case ${SUITE_FAIL_ON_GAPS:-false} in
  true) options+=(--fail-on-gaps) ;;
  false) ;;
  *) wrong "fail-on-gaps is true or false" ;;
esac

before=$(mktemp)
trap 'rm -f "$before"' EXIT
code=0
"$venv/bin/delivery-conformance" "${options[@]}" || code=$?

# A report that was there before this run, or that was not finished, says nothing about it.
verdict=$(
  "$venv/bin/python" - "$report/conformance.json" "$before" <<'PYTHON'
import json, os, sys

path, before = sys.argv[1:]
try:
    if os.stat(path).st_mtime_ns > os.stat(before).st_mtime_ns:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["complete"] is True:
            print(document["verdict"])
except (OSError, ValueError, KeyError, TypeError):
    pass
PYTHON
)

if [[ -n ${GITHUB_OUTPUT:-} ]]; then
  {
    echo "verdict=$verdict"
    echo "report=$report"
    echo "exit-code=$code"
  } >>"$GITHUB_OUTPUT"
fi
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  if [[ -n $verdict ]]; then
    # A job summary may have 1 MiB; beyond that GitHub shows none at all.
    head -c 1000000 <"$report/conformance.md" >>"$GITHUB_STEP_SUMMARY"
  else
    echo "delivery-conformance ended with exit code $code and left no report; its log says why." >>"$GITHUB_STEP_SUMMARY"
  fi
fi
exit "$code"
