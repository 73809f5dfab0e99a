#!/bin/bash
# An experiment in shards on one machine, or on several over ssh with GNU parallel:
#
#   parallel.sh 8 experiment.two-heads.json results/
#   HOSTS=node1,node2,: parallel.sh 8 experiment.two-heads.json results/
#
# Without HOSTS as many shards run at once as JOBS says (2), each with THREADS threads (1). All hosts see the same folders
# under the same names, and have two-heads on their PATH. GNU parallel starts a shard that is killed again, three times at most.
set -euo pipefail

parts=${1:?say how many shards}
experiment=$(realpath "${2:?name an experiment file}")
results=$(realpath --canonicalize-missing "${3:?name a folder for results}")/
shift 3
command=(two-heads run "$experiment" --results "$results" --threads "${THREADS:-1}" "$@")

shards() {
  if command -v parallel > /dev/null; then
    seq "$parts" | parallel --will-cite --jobs "${JOBS:-2}" ${HOSTS:+--sshlogin "$HOSTS"} --retries 4 --quote "${command[@]}" --shard "{}/$parts"
  else
    # One machine only, and no shard is started again.
    seq "$parts" | xargs -P "${JOBS:-2}" -I '{}' "${command[@]}" --shard "{}/$parts"
  fi
}
shards || echo 'Not all shards ended well; what is missing is measured here now.' >&2
# Where all units are known, this only prints the report.
"${command[@]}"
