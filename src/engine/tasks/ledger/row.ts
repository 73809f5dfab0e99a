import { spreadRows } from '../../../core/math/spread-rows';
import type { BlackBoxConstruction } from '../../../core/construct/construction';
import type { LedgerOptions, LedgerRow } from '../../../core/ledger/report';
import { lowerBoundOf, packedFormula } from '../../../core/plan/bound';
import { type LayerPlan, planLayers } from '../../../core/plan/plan';
import type { Fidelity } from '../../../core/report/report';
import { judge } from '../../../core/report/verdict';
import { arrangementOf, isSampled, type LayerScenario, makeScenario } from '../../../core/scenario/scenario';
import type { ModelShape } from '../../../core/shapes';
import { forward } from '../../attend/forward';
import { PhaseClock, throwIfCancelled } from '../../attend/runtime/clock';
import type { Device } from '../../attend/runtime/provider';
import { headTensors } from '../../attend/tiles/layer';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { FidelityCheck } from '../../attend/verify/fidelity';
import { checkMemory, processBytes } from '../../memory';
import { randomModel } from '../../read/model/random-model';
import { StatedError, type StatementPlan } from '../../attend/verify/stated-error';

/** A statement to be run: a scenario under a construction, on a kind of data. */
interface LedgerStatement {
  readonly scenario: LayerScenario;
  readonly construction: BlackBoxConstruction;
  /** Whether the oracle masks causally and cannot do otherwise. */
  readonly causal: boolean;
}

/**
 * The statements of the paper that a ledger runs, each as the proof has it and in its tight form.
 *
 * @throws InputError for parameters that fit no scenario
 */
export function ledgerStatements({ window, sinks, seed }: LedgerOptions): readonly LedgerStatement[] {
  const masks: readonly Omit<LedgerStatement, 'construction'>[] = [
    { scenario: makeScenario('full'), causal: false },
    { scenario: makeScenario('causal'), causal: false },
    { scenario: makeScenario('causal'), causal: true },
    { scenario: makeScenario('sliding-window', { window }), causal: true },
    { scenario: makeScenario('attention-sink', { window, sinks }), causal: true },
    { scenario: makeScenario('average-case', { seed }), causal: false },
  ];
  return masks.flatMap((mask) => (['tight', 'paper'] as const).map((construction) => ({ ...mask, construction })));
}

/** Pairs of a query and a key, over all heads and layers, up to which every row is checked: a few seconds of float64. */
const densePairs = 5e7;

/** Rows that are checked of a longer sequence. */
const sampledRows = 64;

/** Runs a statement's plan on a random model and compares. @throws CancelledError */
export async function ledgerRow(
  plan: StatementPlan,
  options: LedgerOptions,
  device: Device,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<LedgerRow> {
  const sampled = isSampled(plan.scenario);
  const model = randomModel(plan.model, { seed: options.seed, ...(sampled ? tameData : { scoreScale: options.scoreScale, variety: 1 }) });
  const oracle = new OnnxOracle(model, options.blockSize, device);
  const dense = plan.tokens ** 2 * plan.model.heads * plan.model.layers <= densePairs;
  const rows = spreadRows(plan.tokens, dense ? plan.tokens : sampledRows);
  const check = new FidelityCheck(plan, { rows, seed: options.seed, precision: 'float32', threads: device.threads, signal });
  try {
    const clock = new PhaseClock();
    const stated = new StatedError(plan, rows);
    let rounds = 0;
    const start = performance.now();
    await forward({
      model,
      plan,
      tokens: anyTokens(plan.tokens, plan.model),
      oracle,
      clock,
      signal,
      onProgress,
      inspect: (layer, tensors, attended, stream) =>
        clock.time('verify', async () => {
          rounds += attended.rounds;
          await check.inspect(layer, tensors, attended, stream);
          for (let head = 0; head < tensors.query.heads; head += 1) {
            stated.inspect(headTensors(tensors, head));
            throwIfCancelled(signal);
          }
        }),
    });
    const wallMs = performance.now() - start - clock.phases.verify;
    return { ...describe(plan), ...outcome(plan, check.result(), stated.result()), ...counted(oracle), rounds, wallMs };
  } finally {
    await check.release();
    await oracle.release();
  }
}

/** Data that satisfies theorem 4.1's assumption: scores near 0, values much alike. */
const tameData = { scoreScale: 0.02, variety: 0.05 };

/** The plan of a statement. @throws InputError for one that cannot be, or that would not fit into memory */
export function planStatement({ scenario, construction, causal }: LedgerStatement, options: LedgerOptions): StatementPlan {
  const { tokens, blockSize, oracleLayers, oracleHeads } = options;
  const plan = planLayers({
    tokens,
    scenario,
    construction,
    model: modelShape(options),
    oracle: { inputLength: blockSize, layers: oracleLayers, heads: oracleHeads, causal },
  });
  checkMemory(plan, { executor: 'tiles', verify: 'rows', scored: false, processBytes: processBytes() }, 0, {
    length: '--tokens',
    whole: true,
  });
  return { ...plan, construction };
}

/** A small model with the heads and layers asked for; every token of the sequence has an embedding of its own, up to a limit. */
export function modelShape({ layers, heads, tokens }: LedgerOptions): ModelShape {
  const headWidth = 16;
  return {
    layers,
    heads,
    keyValueHeads: heads,
    headWidth,
    width: heads * headWidth,
    feedForwardWidth: 64,
    vocabulary: Math.min(tokens, 4096),
  };
}

function describe(
  plan: StatementPlan,
): Pick<
  LedgerRow,
  'statement' | 'construction' | 'scenario' | 'tokens' | 'layers' | 'heads' | 'oracle' | 'exact' | 'bound' | 'lowerBound'
> {
  const { construction, scenario, tokens, model, oracle, bound } = plan;
  const { statement, formula } = arrangementOf(scenario, construction, { ...oracle, tokens });
  return {
    statement,
    construction,
    scenario,
    tokens,
    layers: model.layers,
    heads: model.heads,
    oracle,
    exact: packedFormula(plan, formula, construction),
    bound: { formula: bound.formula, calls: bound.calls },
    lowerBound: lowerBoundOf(plan),
  };
}

function counted({ calls }: OnnxOracle): Pick<LedgerRow, 'countedCalls' | 'retries'> {
  return { countedCalls: calls.attention - calls.retries, retries: calls.retries };
}

function outcome(
  { construction, scenario }: LayerPlan,
  { maxRelError, logNormaliserError }: Fidelity,
  stated: LedgerRow['stated'],
): Pick<LedgerRow, 'outputError' | 'logNormaliserError' | 'readsNormaliser' | 'stated' | 'verdict'> {
  const kept = construction === 'tight' && !isSampled(scenario) ? 'exact' : 'within';
  return {
    outputError: maxRelError,
    logNormaliserError,
    readsNormaliser: true,
    stated,
    verdict: judge(Math.max(maxRelError, logNormaliserError), stated.error, kept),
  };
}

/** Tokens that are as different as the vocabulary allows. */
export function anyTokens(tokens: number, { vocabulary }: ModelShape): Int32Array {
  return Int32Array.from({ length: tokens }, (_, position) => position % vocabulary);
}
