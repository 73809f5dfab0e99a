import { readFileSync } from 'node:fs';
import { createContext, Script } from 'node:vm';

/** The work that runs, one inside another. */
const scope: { work: () => unknown } = { work: () => undefined };
const context = createContext(scope);
const script = new Script('work()');

/** What ends work that never gives way: an interrupt (SIGINT), or so many whole milliseconds. */
type Ending = { readonly breakOnSigint: true } | { readonly timeout: number };

/**
 * Does work that never gives way as a script of its own, which Node can end wherever it is.
 *
 * What is ended does not run on, not even to its `finally`; it must leave nothing half done.
 *
 * @throws `refusal()` where it was ended, and whatever the work throws
 */
export function endedBy<T>(ending: Ending, work: () => T, refusal: () => Error): T {
  const code = 'timeout' in ending ? 'ERR_SCRIPT_EXECUTION_TIMEOUT' : 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
  let result: { readonly value: T } | undefined;
  const outer = scope.work;
  scope.work = () => (result = { value: work() });
  try {
    script.runInContext(context, ending);
  } catch (error) {
    // An error of the script's context, which has a class `Error` of its own.
    throw typeof error === 'object' && error !== null && 'code' in error && error.code === code ? refusal() : error;
  } finally {
    scope.work = outer;
  }
  if (result === undefined) {
    throw new Error('The work ended without a result.');
  }
  return result.value;
}

/**
 * Does work that a file decides the time of, such as matching its patterns, and gives up after a while: nothing else ends a
 * match.
 *
 * @param limitMs milliseconds, whole
 * @throws as `endedBy` does
 */
function withinTime<T>(limitMs: number, work: () => T, refusal: () => Error): T {
  return endedBy({ timeout: limitMs }, work, refusal);
}

/** Most times of the limit that work may take by the clock, however little of it was its own. */
const mostPatience = 16;

/**
 * As `withinTime`, but by processor time of this thread: on a busy machine work that is ended without having had its time is begun
 * again, with as much more by the clock as the machine was slower.
 *
 * @param limitMs milliseconds, whole
 * @param work leaves nothing behind where it is ended
 */
export function withinProcessorTime<T>(limitMs: number, work: () => T, refusal: () => Error): T {
  const ended = new Error('ended');
  for (let clockMs = limitMs; ;) {
    const start = processorMs();
    try {
      return withinTime(clockMs, work, () => ended);
    } catch (error) {
      const used = processorMs() - start;
      if (error !== ended || used >= nearly * limitMs || clockMs >= mostPatience * limitMs) {
        throw error === ended ? refusal() : error;
      }
      clockMs = Math.ceil(Math.min(mostPatience * limitMs, (moreTime * limitMs * clockMs) / Math.max(1, used)));
    }
  }
}

/** What work that is begun again gets beyond what it would have needed: a machine may become busier, and what it gets may be its own. */
const moreTime = 1.25;

/** Processor time that several pieces of work have together, such as all matches of a pattern. */
export class ProcessorTime {
  /** @param leftMs milliseconds */
  constructor(private leftMs: number) {}

  /** Does work as `withinProcessorTime` does, and takes its time off what is left. */
  spend<T>(work: () => T, refusal: () => Error): T {
    const start = processorMs();
    try {
      // Whole milliseconds, at least one.
      return withinProcessorTime(Math.max(1, Math.ceil(this.leftMs)), work, refusal);
    } finally {
      this.leftMs -= processorMs() - start;
    }
  }
}

/**
 * Milliseconds of processor time that reading a text may take whatever it is, and with so many characters: a text of half a million
 * has two seconds. Patterns of real tokenizers cut 3 million a second and more, and templates write as many.
 */
export function readingMs(characters: number): number {
  return 1000 + characters / 500;
}

/** The share of a limit from which it counts as used: systems count processor time by ticks. */
const nearly = 0.9;

/** Milliseconds of processor time of this thread; where the system does not tell, those of the process, which are no fewer. */
function processorMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}
