import type { Precision } from '../../../src/core/options/table';
import { QueryBlockWriter, queryBlockAt } from '../../../src/core/plan/query-blocks';
import { isUniform, type Plan } from '../../../src/core/plan/plan';
import type { TileRun } from '../../../src/core/plan/tiles';
import type { LayerScenario } from '../../../src/core/scenario/scenario';
import { FunctionBuilder, type ModelFunction, type Value } from '../../../src/engine/attend/onnx/graph-builder';
import { compiledFunctions } from '../../../src/engine/attend/compiled/functions';
import type { Fault, FaultKind } from './fault';

/**
 * Faults of the functions that compiled layers call: everywhere, the probe included.
 *
 * @param rows M @param keyHeads of the model @param precision of the products
 */
export function functionFaults(rows: number, keyHeads: number, precision: Precision = 'float32'): readonly Fault[] {
  const small: readonly [FaultKind, SmallChange][] = [
    ['a mask off by one query', { mask: (f, mask) => roll(f, mask, 0, 1, rows) }],
    ['a mask off by one query', { mask: (f, mask) => roll(f, mask, 0, rows - 1, rows) }],
    ['a mask off by one key', { mask: (f, mask) => roll(f, mask, 1, 1, rows) }],
    ['a mask off by one key', { mask: (f, mask) => roll(f, mask, 1, rows - 1, rows) }],
    ['a tile shifted by one', { key: (f, key) => roll(f, key, 3, 1, rows) }],
    ['a head swapped with another', { out: (f, out) => roll(f, out, 1, 1, keyHeads) }],
    ['a merge with a wrong base', { normaliser: (f, value) => f.divide(value, f.scalar(Math.LN2)) }],
    ['a block of zeros', { out: (f, out) => f.multiply(out, f.scalar(0)) }],
    ['a result off by 2%', { out: (f, out) => f.multiply(out, f.scalar(1.02)) }],
    ['a result off by 2%', { out: (f, out) => f.multiply(out, f.scalar(0.98)) }],
    [
      'one wrong row, in every head',
      {
        out: (f, out) =>
          f.multiply(
            out,
            f.floats(
              [rows, 1],
              Float32Array.from({ length: rows }, (_, row) => (row === 5 ? -1 : 1)),
            ),
          ),
      },
    ],
  ];
  const merged: readonly FaultKind[] = ['a tile dropped', 'a tile counted twice', 'a merge with a wrong base', 'a stale buffer'];
  return [
    ...small.map(([kind, change]): Fault => ({
      kind,
      functions: [...[false, true].map((masked) => smallTransformer(masked, change, precision)), ...others('SmallTransformer')],
    })),
    ...merged.flatMap((kind): Fault[] => [
      { kind, functions: [mergeStates(kind), ...others('MergeStates', precision)] },
      { kind, functions: [mergeTiles(kind), ...others('MergeTiles', precision)] },
    ]),
  ];
}

type SmallChange = Partial<Record<'mask' | 'key' | 'out' | 'normaliser', (f: FunctionBuilder, value: Value) => Value>>;

function smallTransformer(masked: boolean, change: SmallChange, precision: Precision): ModelFunction {
  const f = new FunctionBuilder(masked ? 'MaskedSmallTransformer' : 'SmallTransformer');
  const [query, key, value] = ['query', 'key', 'value'].map((name) => f.input(name));
  const product = (a: Value, b: Value): Value =>
    precision === 'float32' ? f.matMul(a, b) : toFloat16(f, f.matMul(toFloat16(f, a), toFloat16(f, b)));
  const products = product(query, f.transpose(change.key?.(f, key) ?? key, [0, 1, 2, 4, 3]));
  const mask = masked ? f.input('mask') : undefined;
  const scores = mask === undefined ? products : f.add(products, change.mask?.(f, mask) ?? mask);
  const weights = f.softmax(scores);
  const normaliser = f.subtract(f.reduceMax(scores, -1), f.log(f.reduceMax(weights, -1)));
  const out = product(weights, value);
  f.output('out', change.out?.(f, out) ?? out);
  f.output('logNormaliser', change.normaliser?.(f, normaliser) ?? normaliser);
  return f.build('');
}

/**
 * The nearest of the numbers with float16's 11 digits (Veltkamp's split; Dekker 1971): the CPU has no products
 * of float16.
 */
function toFloat16(f: FunctionBuilder, x: Value): Value {
  const split = f.multiply(x, f.scalar(2 ** 13 + 1));
  return f.subtract(split, f.subtract(split, x));
}

/** The functions of compiled layers in which factors and products are rounded to float16, and sums carried in float32. */
export const float16Functions: readonly ModelFunction[] = [
  ...[false, true].map((masked) => smallTransformer(masked, {}, 'float16')),
  ...others('SmallTransformer'),
];

/** The functions that a fault leaves as they are. */
function others(changed: string, precision: Precision = 'float32'): readonly ModelFunction[] {
  return (precision === 'float32' ? compiledFunctions.float32 : float16Functions).filter(
    ({ opType }) => !(opType === changed || (changed === 'SmallTransformer' && opType === 'MaskedSmallTransformer')),
  );
}

/** States of tiles along the first axis, of which the first goes wrong. */
function mergeTiles(kind: FaultKind): ModelFunction {
  const f = new FunctionBuilder('MergeTiles');
  const out = f.input('outs');
  const logNormaliser = f.input('logNormalisers');
  const high = f.reduceMax(logNormaliser, 0);
  const weights = wrongWeights(f, f.exp(f.subtract(logNormaliser, high)), kind, (weight, factor) => {
    const one = f.add(f.multiply(weight, f.scalar(0)), f.scalar(1));
    return f.multiply(weight, f.concat(0, f.multiply(f.slice(one, 0, 0, 1), f.scalar(factor)), f.slice(one, 0, 1, 2 ** 31 - 1)));
  });
  const total = f.reduceSum(weights, 0);
  const mean = f.divide(f.reduceSum(f.multiply(weights, out), 0), total);
  f.output('out', kind === 'a stale buffer' ? f.add(f.multiply(mean, f.scalar(0)), f.slice(out, 0, 0, 1)) : mean);
  f.output('logNormaliser', f.add(high, f.log(total)));
  return f.build('');
}

/** Two states, of which the first goes wrong. */
function mergeStates(kind: FaultKind): ModelFunction {
  const f = new FunctionBuilder('MergeStates');
  const leftOut = f.input('leftOut');
  const left = f.input('leftLogNormaliser');
  const rightOut = f.input('rightOut');
  const right = f.input('rightLogNormaliser');
  const high = f.max(left, right);
  const a = wrongWeights(f, f.exp(f.subtract(left, high)), kind, (weight, factor) => f.multiply(weight, f.scalar(factor)));
  const b = f.exp(f.subtract(right, high));
  const total = f.add(a, b);
  const mean = f.divide(f.add(f.multiply(a, leftOut), f.multiply(b, rightOut)), total);
  f.output('out', kind === 'a stale buffer' ? f.add(f.multiply(mean, f.scalar(0)), leftOut) : mean);
  f.output('logNormaliser', f.add(high, f.log(total)));
  return f.build('');
}

/** Weights of states of which one counts 0 times or twice, or that take a logarithm for one to base 2. */
function wrongWeights(f: FunctionBuilder, weights: Value, kind: FaultKind, scale: (weights: Value, factor: number) => Value): Value {
  switch (kind) {
    case 'a tile dropped':
      return scale(weights, 0);
    case 'a tile counted twice':
      return scale(weights, 2);
    case 'a merge with a wrong base':
      return f.exp(f.divide(f.log(weights), f.scalar(Math.LN2)));
    default:
      return weights;
  }
}

/** Rolls an axis of a known length. */
function roll(f: FunctionBuilder, value: Value, axis: number, by: number, length: number): Value {
  return f.concat(axis, f.slice(value, axis, length - by, length), f.slice(value, axis, 0, length - by));
}

/** Faults of the plan that a run follows, in the tiles of one query block. */
export function planFaults(block: number): readonly Fault[] {
  const changes: readonly [FaultKind, (runs: readonly TileRun[]) => readonly TileRun[]][] = [
    ['a tile dropped', ([run, ...rest]) => [{ ...run, from: run.from + 1 }, ...rest].filter(({ from, to }) => from < to)],
    ['a tile counted twice', (runs) => [{ ...runs[0], to: runs[0].from + 1 }, ...runs]],
    [
      'a tile shifted by one',
      ([run, ...rest]) => [{ ...run, from: run.from + 1 }, { ...run, from: run.from + 1, to: run.from + 2 }, ...rest],
    ],
  ];
  return changes.map(([kind, change]) => ({ kind, plan: (plan) => withTiles(plan, block, change) }));
}

/** A run that follows the plan of a scenario whose number is off by one. */
export function scenarioFault(
  kind: FaultKind,
  change: (scenario: LayerScenario) => LayerScenario,
  replan: (scenario: LayerScenario) => Plan,
): Fault {
  return { kind, plan: (plan) => (isUniform(plan) ? replan(change(plan.scenario)) : plan) };
}

function withTiles(plan: Plan, block: number, change: (runs: readonly TileRun[]) => readonly TileRun[]): Plan {
  const writer = new QueryBlockWriter();
  for (let index = 0; index < plan.blocks; index += 1) {
    const { runs, instances } = queryBlockAt(plan.queryBlocks, index);
    writer.add(index === block ? change(runs) : runs, instances);
  }
  return { ...plan, queryBlocks: writer.finish() };
}
