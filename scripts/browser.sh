#!/bin/sh
# Make sure that the browser tests have a Chromium; without one they are skipped, which is no error.
set -eu

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then
    exit 0
  fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "browser: installing chromium for the browser tests"
  if DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null'; then
    exit 0
  fi
fi

echo "browser: no Chromium on PATH: the browser tests will be skipped (Debian: apt-get install chromium)"
