/** Time that a job should take, in milliseconds: long beside what passing it on costs, short beside what a lost worker loses. */
const jobMs = 30_000;

/** Most rows of a job, so that it stays small to send. */
const mostRows = 32;

/** Jobs that an experiment has at least, where it has as many rows, so that all workers have some to the end. */
const fewestJobs = 16;

/**
 * How many rows go into a job. It depends on the experiment only, so that one that is started again asks for the same jobs.
 *
 * @param rowMs predicted for a row, in milliseconds
 * @param rows of the experiment
 */
export function rowsPerJob(rowMs: number, rows: number): number {
  return Math.max(1, Math.min(mostRows, Math.floor(jobMs / Math.max(1, rowMs)), Math.floor(rows / fewestJobs)));
}

/** Jobs that wait for each worker at most: a broker's memory is for what is next. */
export const waitingPerWorker = 4;
