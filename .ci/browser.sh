#!/bin/sh
# What the browser's tests need, where it can be had: Debian's chromium, and axe-core from npm. axe-core
# has a licence of its own and is fetched, not kept here. Without them those tests are skipped.
set -u
if ! command -v chromium >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
  (apt-get install -y -q chromium || { apt-get update -q && apt-get install -y -q chromium; }) \
    >/dev/null 2>&1 || echo "chromium could not be installed: its tests are skipped" >&2
fi
kept=.venv/axe-core
if [ ! -f "$kept/package/axe.min.js" ] && command -v npm >/dev/null 2>&1; then
  mkdir -p "$kept"
  (cd "$kept" && npm pack --silent axe-core@4.14.1 && tar -xzf axe-core-4.14.1.tgz) >/dev/null 2>&1 ||
    echo "axe-core could not be fetched: its tests are skipped" >&2
fi
exit 0
