import { join } from 'node:path';
import { messageOf } from '../../src/core/errors';
import { nextOf, outcomeOf } from '../support/mutate';
import { seedOf } from './campaign';
import { modelsFolder, root } from '../support/paths';
import { readers } from './readers/registry';
import { watchPaths } from './watch';

/** What a process that tries inputs tells. */
export type ReaderMessage =
  /** It is ready, or begins a try. */
  | { readonly at: number }
  | { readonly fault: string; readonly index: number; readonly details: string }
  | { readonly done: Readonly<Record<string, number>> };

/** Which tries a process makes. */
export interface ReaderTask {
  readonly name: string;
  readonly folder: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Whether it tells each try before it begins it, so that one that ends or holds it is known. */
  readonly each: boolean;
}

/** Longest time that one input may take, in milliseconds of the processor: on a busy machine others' turns fall between. */
const longestMs = 2000;

/** What JavaScript says of a fault of the program, within a refusal that stands for one. */
const unclear =
  /Cannot (read|set|convert)|Cannot use 'in'|is not (a function|iterable|defined|a constructor)|Maximum call stack|Invalid (array|string|typed array) length|object Object/;

/** Tries inputs of one reader, and tells what became of them. Reading a model names ONNX Runtime's version, so that its library is loaded, and never used. */
async function tryInputs({ name, folder, seed, from, to, each }: ReaderTask): Promise<void> {
  const tell = (message: ReaderMessage): void => void process.send?.(message);
  const own = [modelsFolder, join(root, 'test'), join(root, 'media', 'samples'), join(root, 'node_modules')];
  // What limits a tokenizer's pattern asks the system for this thread's processor time.
  const outside = watchPaths([folder, ...own, '/proc/thread-self/schedstat']);
  const attempt = await readers[name].open(folder);
  outside();
  tell({ at: from });
  const counts: Record<string, number> = {};
  let told = performance.now();
  for (let index = from; index < to; index += 1) {
    const now = performance.now();
    if (each || now - told > 200) {
      told = now;
      tell({ at: index });
    }
    const before = process.cpuUsage();
    try {
      const { value, refusal } = await outcomeOf(() => attempt(nextOf(seedOf(seed, name, index))), folder);
      if (refusal !== undefined && unclear.test(refusal)) {
        throw new Error(`A refusal says what only programmers know: ${refusal}`);
      }
      if (refusal !== undefined && /ERR_ACCESS_DENIED|has been restricted/.test(refusal)) {
        throw new Error(`It went where it may not: ${refusal}`);
      }
      const outcome = value ?? 'refused';
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    } catch (error) {
      const kind = error instanceof Error ? error.name : 'thrown value';
      const details = (error instanceof Error ? error.stack : undefined) ?? messageOf(error);
      tell({ fault: `${kind}: ${messageOf(error).slice(0, 60)}`, index, details: details.slice(0, 1500) });
    }
    const elsewhere = outside();
    if (elsewhere.length > 0) {
      tell({ fault: 'outside of the allowed folders', index, details: elsewhere.slice(0, 5).join(', ') });
    }
    if (performance.now() - now > longestMs) {
      const { user, system } = process.cpuUsage(before);
      if (user + system > 1000 * longestMs) {
        tell({ fault: `over ${longestMs / 1000} s`, index, details: `${Math.round((user + system) / 1000)} ms of the processor` });
      }
    }
    if (index % 64 === 0) {
      // What a reader leaves behind must be let go, and signals heard.
      await new Promise((later) => setImmediate(later));
    }
  }
  tell({ done: counts });
}

void tryInputs(JSON.parse(process.argv[2]) as ReaderTask);
