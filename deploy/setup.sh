#!/usr/bin/env bash
# Make .venv: pinned packages, Horovod built against the installed TensorFlow, Delta's jars. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv
log=build/setup
mkdir -p "$log"

need() { # need COMMAND DEBIAN-PACKAGE WHAT
  command -v "$1" >/dev/null 2>&1 || { echo "setup: $3 is required, '$1' was not found: install it (Debian: apt-get install $2)" >&2; exit 2; }
}
need python3.11 "python3.11 python3.11-venv" "Python 3.11"
need java openjdk-17-jre-headless "Java 17"
need g++ g++ "a C++ compiler"
python3.11 -c "import ensurepip" 2>/dev/null || { echo "setup: Python 3.11's venv module is required, it was not found: install it (Debian: apt-get install python3.11-venv)" >&2; exit 2; }
java_major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${java_major:-0}" -ge 17 ] || { echo "setup: Java 17 is required, found ${java_major:-none}: install it (Debian: apt-get install openjdk-17-jre-headless)" >&2; exit 2; }

started=$(date +%s)
say() { printf 'setup: %4ds  %s\n' "$(( $(date +%s) - started ))" "$1" >&2; }
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

say "virtual environment"
python3.11 -m venv "$venv"
pip install -c constraints.txt "setuptools<70" wheel "cmake<4" ninja
say "TensorFlow"
pip install -c constraints.txt tensorflow-cpu numpy pyyaml cloudpickle psutil packaging cffi

say "Horovod builds in the background (log: $log/horovod.log)"
(
  export PATH="$PWD/$venv/bin:$PATH"
  export HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1
  "$venv/bin/python" -m pip --disable-pip-version-check wheel --no-build-isolation --no-deps -c constraints.txt \
    -w "$log/wheels" horovod
) >"$log/horovod.log" 2>&1 &
horovod=$!

say "Spark, Delta and the other packages"
sed -n '/^train = \[/,/^\]/p' pyproject.toml | sed -n 's/^ *"\([A-Za-z0-9_.-]*\).*/\1/p' | grep -v '^horovod$' > "$log/train.txt"
pip install -c constraints.txt -r "$log/train.txt"
pip install -c constraints.txt -e ".[sql,tracking,dev]"
say "Delta's jars"
"$venv/bin/python" deploy/fetch_jars.py >"$log/jars.log" 2>&1 || { cat "$log/jars.log" >&2; exit 1; }

say "archive of the JVM's classes"
"$venv/bin/python" deploy/archive_classes.py >"$log/classes.log" 2>&1 || say "none could be made, so JVMs start slower; see $log/classes.log"

say "waiting for Horovod"
wait "$horovod" || { tail -n 40 "$log/horovod.log" >&2; echo "setup: Horovod did not build; see $log/horovod.log" >&2; exit 1; }
pip install --no-deps --no-index --find-links "$log/wheels" horovod
pip check
touch "$venv/.ready"
say "ready"
