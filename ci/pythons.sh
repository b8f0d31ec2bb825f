#!/usr/bin/env bash
# Runs the suite, and those self-checks that a Python could decide otherwise, on each Python that is named.
#   ci/pythons.sh 3.11 3.13          each must be there
#   ci/pythons.sh --present 3.12 …   what is not there is left out, with a line that says so
# Each gets an environment of its own, from requirements.lock, below PYTHONS_DIR (default: .pythons); it is kept.
set -euo pipefail
cd "$(dirname "$0")/.."

# What differed from one Python to another, or leans on what changes with them: TLS, addresses, parsers, ast, dataclasses.
files=()
for name in trust target_file provider_states secrets_vault reports_redaction recording register results; do
  files+=("suites/selfcheck/unit/test_$name.py")
done

fail() {
  echo "pythons: $*" >&2
  exit 1
}

# The interpreter of a version: pyenv's first, for its shims stand on the path whether or not they work.
find_python() {
  local candidate
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1"*/bin/python "$(command -v "python$1" || true)"; do
    if [ -x "$candidate" ] && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

present=
if [ "${1:-}" = --present ]; then
  present=yes
  shift
fi
[ $# -gt 0 ] || fail "name the versions: ci/pythons.sh 3.11 3.13"

lock=$(sha256sum requirements.lock | cut -c1-16)
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

# All that is done with the Python $2 of version $1.
check() {
  local venv=${PYTHONS_DIR:-.pythons}/$1
  if [ "$(cat "$venv/lock" 2>/dev/null)" != "$lock" ]; then
    "$2" -m venv --clear "$venv"
    ci/pip.sh "$venv/bin/python"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
    echo "$lock" >"$venv/lock"
  fi
  echo "pythons: $("$venv/bin/python" --version)"
  "$venv/bin/python" -m suites.cli --fail-on-gaps --report-dir "$output/$1.run" -p no:cacheprovider -q | tail -n 1
  "$venv/bin/python" -m pytest -q -W error -p no:cacheprovider --basetemp "$output/$1.tests" "${files[@]}" 2>&1 | tail -n 3
}

pythons=()
for version in "$@"; do
  if python=$(find_python "$version"); then
    pythons+=("$version=$python")
  else
    [ -n "$present" ] || fail "there is no Python $version here, on the path or of pyenv"
    echo "pythons: no Python $version here, left out"
  fi
done

# Each is one process: two go side by side where there are two cores. What they print comes one after the other.
running=()
for each in "${pythons[@]}"; do
  check "${each%%=*}" "${each#*=}" >"$output/${each%%=*}" 2>&1 &
  running+=("${each%%=*}=$!")
done
failed=
for each in "${running[@]}"; do
  wait "${each#*=}" || failed+=" ${each%=*}"
  cat "$output/${each%=*}"
done
[ -z "$failed" ] || fail "not as it should be:$failed"
