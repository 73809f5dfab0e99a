import { makePlan, type Plan } from '../../../src/core/plan/plan';
import { type LayerScenario, reachesOf } from '../../../src/core/scenario/scenario';
import { cutPrompt, lengthOf, ownRows, type PromptShard, tokensIn } from '../../../src/core/shards/cut';
import { forward } from '../../../src/engine/attend/forward';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import type { Device } from '../../../src/engine/attend/runtime/provider';
import type { OnnxOracle } from '../../../src/engine/attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../../src/engine/attend/verify/fidelity';
import { PredictionCheck } from '../../../src/engine/attend/verify/prediction-check';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { sumQuality } from '../../../src/engine/attend/verify/quality';
import type { Fidelity } from '../../../src/core/report/report';
import { isBeyondRounding } from '../../../src/core/math/rounding';
import type { LoadedModel } from '../../../src/engine/read/model/load';
import type { FaultKind } from './fault';

/** A fault that was put in, whether it changed anything, and whether the checks found it; a kind of none is a clean run. */
export interface Tried {
  readonly kind: FaultKind | 'none';
  readonly isChanged: boolean;
  readonly isFound: boolean;
}

interface Around {
  readonly model: LoadedModel;
  readonly oracle: OnnxOracle;
  readonly device: Device;
  readonly tokens: Int32Array;
  /** Of the whole prompt. */
  readonly plan: Plan & { readonly scenario: LayerScenario };
}

const { signal } = new AbortController();
const differs = (one: ArrayLike<number>, other: ArrayLike<number>): boolean =>
  Array.from(one).some((value, at) => !(Math.abs(value - other[at]) <= 1e-5));

/** Faults of what shards read, in every shard of three. */
export async function haloFaults({ model, oracle, device, tokens, plan }: Around): Promise<Tried[]> {
  const run = async (shard: PromptShard, given: Int32Array): Promise<{ hidden: Float32Array; isFound: boolean }> => {
    const own = makePlan({ ...plan, tokens: lengthOf(shard.reads) });
    const part = { shard, own: ownRows(shard) };
    const check = FidelityCheck.ofRun(own, 'rows', { tokens, model, device, precision: 'float32', signal }, part);
    const hidden = await forward({
      ...{ model, oracle, plan: own, signal, clock: new PhaseClock(), probe: check.probe },
      tokens: tokensIn(given, shard.reads),
      positions: { ranges: shard.reads, tokens: tokens.length },
      inspect: (...each) => check.inspect(...each),
      onProgress: () => undefined,
    });
    check.inspectStream(hidden);
    await check.release();
    const { wrongRows, wrongHalos, tokenwise, probe } = check.result();
    const isFound = [wrongRows, wrongHalos, tokenwise?.wrongRows, probe?.wrongRows].some((rows) => (rows?.length ?? 0) > 0);
    const { width } = model.shape;
    return { hidden: hidden.subarray(part.own.from * width, part.own.to * width), isFound };
  };
  const tried: Tried[] = [];
  for (const shard of cutPrompt(tokens.length, 3, reachesOf(plan.scenario, model.shape.layers)).slice(1)) {
    const clean = await run(shard, tokens);
    tried.push({ kind: 'none', isChanged: false, isFound: clean.isFound });
    const [first, ...rest] = shard.reads;
    const short = [
      [{ ...first, from: first.from + 1 }, ...rest],
      ...(rest.length > 0
        ? [
            [{ ...first, to: first.to - 1 }, ...rest],
            [first, { ...rest[0], from: rest[0].from + 1 }],
          ]
        : []),
    ];
    for (const reads of short) {
      const { hidden, isFound } = await run({ ...shard, reads }, tokens);
      tried.push({ kind: 'a halo short by one row', isChanged: differs(hidden, clean.hidden), isFound });
    }
    for (const by of [1, -1]) {
      const rolled = tokens.map((_, at) => tokens[(at + by + tokens.length) % tokens.length]);
      const { hidden, isFound } = await run(shard, rolled);
      tried.push({ kind: 'tokens off by one', isChanged: differs(hidden, clean.hidden), isFound });
    }
  }
  return tried;
}

const noFidelity: Fidelity = {
  ...{ reference: '', rows: 0, maxAbsError: 0, maxRelError: 0, logNormaliserError: 0, seed: null, wrongRows: null, probe: null },
};

/** Faults of what quality is summed up from. @param hidden @param baseline last residual streams `[N, d]` of two runs */
export async function qualityFaults(
  { model, device, tokens }: Pick<Around, 'model' | 'device' | 'tokens'>,
  hidden: Float32Array,
  baseline: Float32Array,
): Promise<Tried[]> {
  type Compare = OutputHead['compare'];
  const { width } = model.shape;
  const rolled = (rows: Float32Array): Float32Array => Float32Array.from([...rows.subarray(width), ...rows.subarray(0, width)]);
  const faults: readonly [FaultKind | 'none', (compare: Compare) => Compare][] = [
    ['none', (compare) => compare],
    [
      'a loss of another token',
      (compare) => (own, other, targets) =>
        compare(
          own,
          other,
          targets?.map((_, at) => targets.at(at - 1) ?? 0n),
        ),
    ],
    ['a divergence of other rows', (compare) => (own, other, targets) => compare(own, rolled(other), targets)],
    ['a divergence of other rows', (compare) => (own, other, targets) => compare(rolled(own), other, targets)],
    [
      'a divergence the other way',
      (compare) => async (own, other, targets) => {
        const { divergence } = await compare(other, own, targets);
        return { ...(await compare(own, other, targets)), divergence };
      },
    ],
  ];
  const tried: Tried[] = [];
  let clean: readonly number[] | undefined;
  for (const [kind, change] of faults) {
    const [head, faulty] = [new OutputHead(model, device), new OutputHead(model, device)];
    faulty.compare = change((...given) => head.compare(...given));
    const check = new PredictionCheck(tokens, 5);
    const scorer = {
      model,
      head: faulty,
      check,
      signal,
      score: 'all',
      touched: 'none',
      tokens: tokens.length,
      onProgress: () => undefined,
    };
    const { past, within } = await sumQuality(scorer, { first: 0, targets: tokens.subarray(1), hidden }, baseline);
    const sums = [past, within].flatMap(({ loss, baselineLoss, divergence }) => [loss, baselineLoss, divergence]);
    clean ??= sums;
    const use = check.joinedTo(noFidelity).prediction;
    tried.push({ kind, isChanged: differs(sums, clean), isFound: use === undefined || isBeyondRounding(use) });
    await Promise.all([head.release(), faulty.release()]);
  }
  return tried;
}
