#!/usr/bin/env bash
# Runs the GPU check on a machine that has nothing of it: unpacks Node, ONNX Runtime and Vulkan's loader beside this file, and hands on
# its arguments. Run it in the repository's root. See docs/benchmarks.md, "On a GPU".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if command -v xz >/dev/null; then
  xz -dc "$here/bundle.tar.xz" | tar -x --no-same-owner -C "$folder"
else
  python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$here/bundle.tar.xz" |
    tar -x --no-same-owner -C "$folder"
fi
cp "$here/main.js" "$folder/"
"$folder/node" "$folder/main.js" --carried "$folder" "$@"
