import { outputAndMlpParameters, projectionParameters, type ModelShape, valueWidthOf } from '../shapes';
import { flopsPerPair } from './attention-cost';

/** How the chunks of a prompt go to workers: in order, or an early chunk with the late one that mirrors it, so that all have equal work. */
export const assignments = ['contiguous', 'zig-zag'] as const;
export type Assignment = (typeof assignments)[number];

/** A causal prompt over several machines: queries stay, keys and values travel. */
export interface ContextParallelRequest {
  readonly model: ModelShape;
  /** N. */
  readonly tokens: number;
  /** P. */
  readonly workers: number;
  readonly assignment: Assignment;
  /** Floating-point operations that a worker sustains in a second. */
  readonly flopsPerSecond: number;
  /** Bytes that a worker's link carries in a second, each way at once. */
  readonly bytesPerSecond: number;
  /** Seconds from one worker to another, besides the bytes. */
  readonly latency: number;
  /** Of a key's or a value's number. */
  readonly bytesPerElement: number;
}

/** What the schedule of a causal prompt takes, by simulation. */
export interface ContextParallelSchedule {
  /** From the first worker's start to the last one's end. */
  readonly seconds: number;
  /** What one of the workers would take by itself. */
  readonly secondsAlone: number;
  /** Share of the workers' time in which they compute. */
  readonly busy: number;
  /** Bytes that the worker which receives most receives over all layers. */
  readonly received: number;
}

/** A stretch of the prompt on a worker. */
interface Chunk {
  readonly index: number;
  readonly tokens: number;
}

/**
 * Simulates P workers times L layers of exact causal attention.
 *
 * In each layer a worker projects its chunks, sends their keys and values away once, and attends to its own; it goes on with
 * every earlier chunk as that arrives, merging states, and computes the rest of the layer when it has read all. A link carries one
 * chunk after another, in the order in which they are ready; what lies between the links is not the limit. The next layer of
 * a worker starts when its own is done, whether or not others' are.
 */
export function contextParallelSchedule(request: ContextParallelRequest): ContextParallelSchedule {
  const { model, workers, flopsPerSecond, bytesPerSecond, latency } = request;
  const chunksOf = assignedChunks(request);
  const all = chunksOf.flatMap((chunks, worker) => chunks.map((chunk) => ({ ...chunk, worker }))).sort((a, b) => a.index - b.index);
  const sizeOf = (tokens: number): number =>
    request.bytesPerElement * model.keyValueHeads * (model.headWidth + valueWidthOf(model)) * tokens;
  const tokenwise = (worker: number, parameters: number): number =>
    (2 * parameters * sum(chunksOf[worker], ({ tokens }) => tokens)) / flopsPerSecond;
  const attend = (pairs: number): number => (flopsPerPair(model) * pairs) / flopsPerSecond;

  const done = new Array<number>(workers).fill(0);
  const linkFree = new Array<number>(workers).fill(0);
  const received = new Array<number>(workers).fill(0);
  for (let layer = 0; layer < model.layers; layer += 1) {
    // 1. Projections, and when the keys and values of each chunk have left their worker.
    const projected = done.map((start, worker) => start + tokenwise(worker, projectionParameters(model)));
    const ready = new Map<number, number>();
    chunksOf.forEach((chunks, worker) => {
      let sent = projected[worker];
      for (const { index, tokens } of chunks) {
        sent += sizeOf(tokens) / bytesPerSecond;
        ready.set(index, sent + latency);
      }
    });
    for (let worker = 0; worker < workers; worker += 1) {
      const own = chunksOf[worker];
      // 2. What is at hand.
      let time = projected[worker] + attend(pairsOf(own, own));
      // 3. Earlier chunks of others, as they arrive.
      const needed = all.filter((chunk) => chunk.worker !== worker && chunk.index < own[own.length - 1].index);
      for (const chunk of needed.sort((a, b) => (ready.get(a.index) ?? 0) - (ready.get(b.index) ?? 0) || a.index - b.index)) {
        const bytes = sizeOf(chunk.tokens);
        // The last byte cannot come before it is sent; a link that was idle carries it while it is sent.
        linkFree[worker] = Math.max(ready.get(chunk.index) ?? 0, linkFree[worker] + bytes / bytesPerSecond);
        received[worker] += bytes;
        time = Math.max(time, linkFree[worker]) + attend(pairsOf(own, [chunk]));
      }
      // 4. The rest of the layer.
      done[worker] = time + tokenwise(worker, outputAndMlpParameters(model));
    }
  }
  const seconds = Math.max(...done);
  const everywhere = sum(chunksOf, (_own, worker) => tokenwise(worker, projectionParameters(model) + outputAndMlpParameters(model)));
  const secondsAlone = model.layers * (everywhere + attend(pairsOf(all, all)));
  return { seconds, secondsAlone, busy: secondsAlone / (workers * seconds), received: Math.max(...received) };
}

/** The chunks of each worker, ascending. P of almost equal size, or 2P of which each worker has two. */
export function assignedChunks({
  tokens,
  workers,
  assignment,
}: Pick<ContextParallelRequest, 'tokens' | 'workers' | 'assignment'>): Chunk[][] {
  const count = assignment === 'zig-zag' ? 2 * workers : workers;
  const chunk = (index: number): Chunk => ({
    index,
    tokens: Math.floor(((index + 1) * tokens) / count) - Math.floor((index * tokens) / count),
  });
  return Array.from({ length: workers }, (_, worker) =>
    assignment === 'zig-zag' ? [chunk(worker), chunk(count - 1 - worker)] : [chunk(worker)],
  );
}

/** Pairs of queries in some chunks with keys in others: of a chunk with itself its lower triangle, and all with earlier ones. */
function pairsOf(queries: readonly Chunk[], keys: readonly Chunk[]): number {
  return sum(queries, (query) =>
    sum(keys, (key) =>
      key.index === query.index ? (query.tokens * (query.tokens + 1)) / 2 : key.index < query.index ? query.tokens * key.tokens : 0,
    ),
  );
}

function sum<T>(values: readonly T[], of: (value: T, index: number) => number): number {
  return values.reduce((total, value, index) => total + of(value, index), 0);
}
