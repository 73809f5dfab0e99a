import { fitRates } from '../../../core/math/least-squares';
import { type DenseOperator, denseOperators, type DenseRate } from '../../../core/predict/calibration';
import { denseAttentionGraph, groupQueryAttentionGraph, multiHeadAttentionGraph } from '../../attend/graphs/dense';
import type { Device } from '../../attend/runtime/provider';
import { GraphSession, type Operand } from '../../attend/runtime/session';
import { medianMs, type Schedule } from './timing';

/**
 * N at which an operator is timed, more than the three unknowns of its law. Operators of quadratic memory stop early: four heads
 * of the longest of the others would take gigabytes.
 */
const lengths: Readonly<Record<DenseOperator, readonly number[]>> = {
  GroupQueryAttention: [256, 512, 1024, 2048, 4096, 8192],
  MultiHeadAttention: [256, 512, 1024, 2048],
  'MatMul-Softmax-MatMul': [256, 512, 1024, 2048],
};

/** The lengths of a device so slow that longer ones would keep it busy for minutes. */
const fewest = 4;
const slowMs = 200;

/** Heads of a call: at least as many as there are threads, since operators give each thread heads of its own. */
function headsFor({ threads }: Device): number {
  return Math.max(4, 2 * Math.ceil(threads / 2));
}

/**
 * What each of the runtime's dense operators takes for a head over N, causal.
 *
 * An operator that the device lacks is left out, and so are those for which the schedule has no time.
 * @throws whatever `step` throws
 */
export async function denseRates(
  headWidth: number,
  device: Device,
  schedule: Schedule,
  step: (operator: DenseOperator) => Promise<void>,
): Promise<DenseRate[]> {
  const rates: DenseRate[] = [];
  for (const operator of denseOperators) {
    if (!schedule.allows()) {
      continue;
    }
    await step(operator);
    const rate = await denseRate(operator, headWidth, device, schedule.until).catch(() => undefined);
    if (rate !== undefined) {
      rates.push(rate);
    }
  }
  return rates;
}

async function denseRate(operator: DenseOperator, headWidth: number, device: Device, until: number): Promise<DenseRate> {
  const heads = headsFor(device);
  const measured: number[] = [];
  const times: number[] = [];
  for (const tokens of lengths[operator]) {
    times.push((await timeOf(operator, tokens, heads, headWidth, device)) / heads);
    measured.push(tokens);
    if (measured.length >= fewest && (times[times.length - 1] * heads > slowMs || performance.now() > until)) {
      break;
    }
  }
  const features = measured.map((tokens) => [1, tokens, tokens ** 2]);
  const { rates, error } = fitRates(features, times);
  const [callMs, perToken, perPair] = rates;
  return {
    operator,
    headWidth,
    callMs,
    nsPerToken: perToken * 1e6,
    nsPerPair: perPair * 1e6,
    tokens: { from: measured[0], to: measured[measured.length - 1] },
    fit: { samples: times.length, unknowns: rates.length, error },
  };
}

async function timeOf(operator: DenseOperator, tokens: number, heads: number, headWidth: number, device: Device): Promise<number> {
  const data = new Float32Array(heads * tokens * headWidth).fill(0.1);
  const [graph, feeds] = callOf(operator, tokens, heads, headWidth, data);
  const session = await GraphSession.create(graph, device);
  try {
    return await medianMs(() => session.run(feeds), { fewest: 2 });
  } finally {
    await session.release();
  }
}

/** The graph of an operator, and what it is fed. */
function callOf(
  operator: DenseOperator,
  tokens: number,
  heads: number,
  headWidth: number,
  data: Float32Array,
): readonly [Uint8Array, Readonly<Record<string, Operand>>] {
  const shape = operator === 'MatMul-Softmax-MatMul' ? [heads, tokens, headWidth] : [1, tokens, heads * headWidth];
  const operand: Operand = { data, shape };
  const operands = { query: operand, key: operand, value: operand };
  switch (operator) {
    case 'GroupQueryAttention': {
      const lengthOf = { lengths: { data: Int32Array.of(tokens - 1), shape: [1] }, total: { data: Int32Array.of(tokens), shape: [] } };
      return [groupQueryAttentionGraph(tokens, heads, headWidth), { ...operands, ...lengthOf }];
    }
    case 'MultiHeadAttention':
      return [multiHeadAttentionGraph(tokens, heads, headWidth), operands];
    case 'MatMul-Softmax-MatMul':
      return [denseAttentionGraph(tokens, headWidth), operands];
  }
}
