import type { LayerStep } from '../../../core/plan/segments';
import { placesOf } from '../../../core/shards/cut';
import { type LayerTensors, readRows, writeRows } from './layer';

/** What a layer holds from one step of a run to the next: keys and values that later queries read, and rows that wait for their keys. */
export class HeldRows {
  /** Keys and values `[H_kv, rows, m]` of consecutive stretches of rows. */
  private keys: readonly (readonly [key: Float32Array, value: Float32Array])[] = [];
  /** Queries `[H, rows, m]` and the residual stream `[rows, d]` of the rows that wait. */
  private waiting: { readonly query: Float32Array; readonly stream: Float32Array } | undefined;

  /** Writes what is held into the first rows of a step's tensors. @returns the row after them, where new rows go */
  restore({ query, key, value }: LayerTensors): { readonly query: number; readonly key: number } {
    let rows = 0;
    for (const [keys, values] of this.keys) {
      writeRows(key, rows, keys);
      writeRows(value, rows, values);
      rows += keys.length / (key.heads * key.width);
    }
    if (this.waiting === undefined) {
      return { query: 0, key: rows };
    }
    writeRows(query, 0, this.waiting.query);
    return { query: this.waiting.query.length / (query.heads * query.width), key: rows };
  }

  /** The residual stream of the rows that wait, and of those that come. */
  joinStream(incoming: Float32Array): Float32Array {
    if (this.waiting === undefined) {
      return incoming;
    }
    const { stream } = this.waiting;
    const joined = new Float32Array(stream.length + incoming.length);
    joined.set(stream);
    joined.set(incoming, stream.length);
    return joined;
  }

  /**
   * Takes what the next step needs of this one.
   *
   * @param stream of the rows that were not attended
   */
  keep({ query, key, value }: LayerTensors, stream: Float32Array, { keys, queries, incoming }: LayerStep, next: LayerStep): void {
    const wanted = next.keys.filter(({ from }) => from < incoming.to).map(({ from, to }) => ({ from, to: Math.min(to, incoming.to) }));
    const places = placesOf(keys, wanted);
    if (places === undefined) {
      throw new RangeError('A step is to hold keys that the one before it does not have.');
    }
    this.keys = places.map(({ from, to }) => [readRows(key, from, to), readRows(value, from, to)]);
    const [from, to] = [queries.to - queries.from, incoming.to - queries.from];
    this.waiting = from === to ? undefined : { query: readRows(query, from, to), stream: stream.slice() };
  }
}
