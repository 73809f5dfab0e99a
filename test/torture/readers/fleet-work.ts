import { defaultsOf } from '../../../src/core/options/option';
import { defaultOptions } from '../../../src/core/options/table';
import { experimentTable } from '../../../src/core/evaluate/experiment';
import type { RowWork, ShardWork } from '../../../src/fleet/work';

/** Rows of an experiment, as a coordinator sends them. @param id of 32 hex digits */
export function causalWork(id: string): RowWork {
  const { provider, threads, executor, precision, construction, oracleLayers, oracleHeads } = defaultsOf(experimentTable);
  const job = { scenario: { kind: 'causal' }, blockSize: 64 } as const;
  const tokens = Int32Array.from({ length: 12 }, (_, index) => index);
  const scored = { ...{ id, tokens, about: {}, units: [{ id, job }] } };
  return {
    run: id,
    options: { provider, threads, executor, precision, construction, oracleLayers, oracleHeads, baseline: job },
    rows: [
      { ...scored, scoring: { kind: 'window', from: 2, to: 10, targets: tokens.slice(2, 10), edges: [2, 6, 10] } },
      { ...scored, scoring: { kind: 'retrieval', row: 5, answer: [1, 2] } },
    ],
  };
}

/** A shard of a prompt, as a coordinator sends it. @param id of 32 hex digits */
export function shardedWork(id: string): ShardWork {
  return {
    run: id,
    id,
    options: defaultOptions,
    plan: {
      tokens: 20,
      scenario: { kind: 'sliding-window', window: 8 },
      oracle: { inputLength: 4, layers: 1, heads: 4, causal: false },
      construction: 'fused',
    },
    shard: { rows: { from: 10, to: 20 }, reads: [{ from: 2, to: 20 }] },
    ranges: [{ from: 2, to: 20 }],
    ids: Int32Array.from({ length: 18 }, (_, index) => index),
  };
}
