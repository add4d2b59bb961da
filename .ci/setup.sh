#!/bin/sh
# Make .venv from a lock file: setup.sh PYTHON LOCKFILE. Says plainly what is wrong where it can't.
set -eu
python=$1 lock=$2

if ! command -v "$python" >/dev/null 2>&1; then
  echo "afterscore needs Python 3.11 or newer, and there is no '$python' here." >&2
  echo "Install it, or name another: make demo PYTHON=/path/to/python3.11" >&2
  exit 2
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "afterscore needs Python 3.11 or newer; '$python' is $("$python" -V 2>&1)." >&2
  echo "Name another: make demo PYTHON=/path/to/python3.11" >&2
  exit 2
fi
if [ ! -x .venv/bin/python ] && ! "$python" -m venv .venv; then
  rm -rf .venv
  echo "'$python' cannot make a virtual environment: its venv module is missing" >&2
  echo "(Debian and Ubuntu: apt-get install python3-venv)." >&2
  exit 2
fi
echo "Installing what $lock names into .venv (about a minute, once) ..."
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
  --requirement "$lock"; then
  echo "The packages could not be installed. Is a package index in reach? pip's own message is" >&2
  echo "above; behind a proxy or a mirror, set PIP_INDEX_URL or HTTPS_PROXY and try again." >&2
  exit 2
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
  --no-build-isolation --editable .
# As pip does with what it installs; where PYTHONDONTWRITEBYTECODE is set, nobody else would, and each
# command would begin by compiling all of it.
.venv/bin/python -m compileall -q explore pipelines schedules spiders
