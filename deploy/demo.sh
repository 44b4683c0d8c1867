#!/usr/bin/env bash
# Simulate a book, run the whole pipeline on it in one Spark session, ask one question, print the result.
set -euo pipefail
cd "$(dirname "$0")/.."
warehouse=build/demo
rm -rf "$warehouse"
result=$(mktemp)
trap 'rm -f "$result"' EXIT

.venv/bin/loanbook run-pipeline --simulate demo --set "paths.warehouse=$warehouse" --result "$result" | sed '$d'
echo
echo "loanbook sql \"SELECT * FROM pd_by_delinquency\" --set paths.warehouse=$warehouse"
.venv/bin/loanbook sql "SELECT * FROM pd_by_delinquency" --set "paths.warehouse=$warehouse"
echo
.venv/bin/python -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))))' "$result"
