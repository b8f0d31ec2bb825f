#!/usr/bin/env bash
# Installs the suite into an environment of its own: the release SUITE_VERSION from the package index or, without one, the checkout that
# this script lies in, with every dependency at the version and hash of the locks.
#   SUITE_VENV     the environment (required; made if need be)
#   SUITE_VERSION  a release, as in 0.1.0 (default: this checkout)
#   SUITE_PYTHON   the Python to make it with (default: python3)
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${SUITE_VENV:?the directory to install into}
version=${SUITE_VERSION:-}
python=${SUITE_PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "delivery-conformance needs Python 3.11 or newer; '$python' is not" >&2
  exit 4
fi
# A version and nothing that pip would take for more than that.
if [[ -n $version && ! $version =~ ^[0-9][0-9A-Za-z.+!]*$ ]]; then
  echo "'version' must be a release number such as 0.1.0" >&2
  exit 4
fi

"$python" -m venv "$venv"
"$source/ci/pip.sh" "$venv/bin/python"
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
if [[ -n $version ]]; then
  pip install "delivery-conformance==$version"
else
  pip install --require-hashes -r "$source/requirements.lock" -r "$source/ci/build.lock"
  pip install --no-deps --no-build-isolation "$source"
fi
