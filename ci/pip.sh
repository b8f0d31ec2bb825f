#!/usr/bin/env bash
# Brings the pip of the environment whose Python is $1 to the version of pip.lock: it installs in half the time of the one that comes with
# Python 3.11. Where it cannot be had, the one that is there does as well.
"$1" -m pip install --quiet --disable-pip-version-check --no-compile --retries 0 --require-hashes -r "$(dirname "$0")/pip.lock" \
  >/dev/null 2>&1 || true
