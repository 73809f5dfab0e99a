#!/bin/bash
# An experiment as a Slurm array, a shard for each task:
#
#   sbatch --array=0-7 --cpus-per-task=4 slurm-array.sh experiment.two-heads.json results/
#
# All nodes see the experiment and the results folder, and have two-heads on their PATH. The task that ends last prints the
# report in its log. Submit it again to go on from whatever is there. More flags of `two-heads run` may follow the folder.
#
#SBATCH --job-name=two-heads
#SBATCH --output=two-heads-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -uo pipefail

experiment=${1:?name an experiment file}
results=${2:?name a folder for results that all nodes see}
shift 2
: "${SLURM_ARRAY_TASK_ID:?submit it with sbatch --array=0-7, for eight shards}"

part=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))
parts=$SLURM_ARRAY_TASK_COUNT
if ((SLURM_ARRAY_TASK_MAX - SLURM_ARRAY_TASK_MIN + 1 != parts)); then
  echo "An array with gaps leaves shards out; submit it with --array=0-$((parts - 1))." >&2
  exit 2
fi

# Results are those of one number of threads: it is the same for all tasks, and belongs to the command that prints the report.
command=(two-heads run "$experiment" --results "${results%/}/" --threads "${SLURM_CPUS_PER_TASK:-1}" "$@")
echo "$(date +%T) shard $part of $parts on $(hostname), start $((${SLURM_RESTART_COUNT:-0} + 1))"
"${command[@]}" --shard "$part/$parts"
code=$?

# Slurm itself starts a task again when its node fails or it is preempted, but not when its process is killed, such as for
# its memory. 130 is a run that was asked to stop.
if ((code > 128 && code != 130 && ${SLURM_RESTART_COUNT:-0} < 3)); then
  echo "$(date +%T) killed (exit code $code); to be started again" >&2
  # By this name: one task of an array has the array's own SLURM_JOB_ID, by which all would be started again. Slurm ends this
  # script as it puts the task back into the queue, which a busy controller may need to be asked for again.
  for pause in 0 5 30 120; do
    sleep "$pause"
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 600
  done
fi
if ((code == 0)); then
  echo "The report, once all shards are done: ${command[*]@Q}"
fi
exit $code
