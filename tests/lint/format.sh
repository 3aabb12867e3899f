#!/usr/bin/env bash
# format.sh ROOT [--fix]: every source is laid out as .clang-format says. Exit code 77: clang-format is not installed.
set -euo pipefail
cd "$1"

if ! command -v clang-format >/dev/null; then
  echo "clang-format is missing: run deploy/setup"
  exit 77
fi
folders=()
for folder in messages model storage actors deploy tests; do
  if [[ -d $folder ]]; then folders+=("$folder"); fi
done
find "${folders[@]}" -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 | sort -z >"${TMPDIR:-/tmp}/soma_format.$$"
trap 'rm -f "${TMPDIR:-/tmp}/soma_format.$$"' EXIT

mode=(--dry-run -Werror)
if [[ ${2-} == --fix ]]; then mode=(-i); fi
if ! xargs -0 -P2 -n20 clang-format "${mode[@]}" <"${TMPDIR:-/tmp}/soma_format.$$"; then
  echo "layout differs: tests/lint/format.sh . --fix"
  exit 1
fi
