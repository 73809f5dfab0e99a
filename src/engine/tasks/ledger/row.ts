import { spreadRows } from '../../../core/math/spread-rows';
import type { BlackBoxConstruction } from '../../../core/construct/construction';
import { callsPerBlock, type LedgerOptions, type LedgerRow } from '../../../core/ledger/report';
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
  /** Its name, where it is not that of the arrangement. */
  readonly lemma?: string;
  readonly scenario: LayerScenario;
  readonly construction: BlackBoxConstruction;
  /** Whether the oracle masks causally and cannot do otherwise. */
  readonly causal: boolean;
  /** What it needs in place of the ledger's own shapes. */
  readonly shape?: Partial<Pick<LedgerOptions, 'tokens' | 'layers' | 'heads' | 'oracleLayers' | 'oracleHeads'>>;
}

/**
 * The statements that a ledger runs: those of the paper, each as the proof has it and in its tight form, and the extensions.
 *
 * @throws InputError for parameters that fit no scenario
 */
export function ledgerStatements(options: LedgerOptions): readonly LedgerStatement[] {
  const { window, sinks, seed, blockSize, oracleLayers, oracleHeads } = options;
  // One tile: of one head (lemma 3.1), and of as many as a call carries (lemma 3.3).
  const tile = { tokens: Math.min(options.tokens, blockSize - 1), layers: 1 };
  const single = { ...tile, heads: 1, oracleLayers: 1, oracleHeads: 1 };
  const packed = { ...tile, heads: oracleLayers * oracleHeads };
  const masks: readonly Omit<LedgerStatement, 'construction'>[] = [
    { lemma: 'Lemma 3.1', scenario: makeScenario('full'), causal: false, shape: single },
    { lemma: 'Lemma 3.3', scenario: makeScenario('full'), causal: false, shape: packed },
    { scenario: makeScenario('full'), causal: false },
    { scenario: makeScenario('causal'), causal: false },
    { scenario: makeScenario('causal'), causal: true },
    { scenario: makeScenario('sliding-window', { window }), causal: true },
    { scenario: makeScenario('attention-sink', { window, sinks }), causal: true },
    { scenario: makeScenario('average-case', { seed }), causal: false },
  ];
  // Through an oracle that never masks: the causal mask, a window wider than M, and one on both sides.
  const extensions: readonly LayerScenario[] = [
    makeScenario('custom', { expression: 'k <= q' }),
    makeScenario('sliding-window', { window: blockSize + window }),
    makeScenario('local-window', { window }),
  ];
  return [
    ...masks.flatMap((mask) => (['tight', 'paper'] as const).map((construction) => ({ ...mask, construction }))),
    ...extensions.map((scenario) => ({ scenario, construction: 'tight' as const, causal: false })),
  ];
}

/** Pairs of a query and a key, over all heads and layers, up to which every row is checked: a few seconds of float64. */
const densePairs = 5e7;

/** Rows that are checked of a longer sequence. */
const sampledRows = 64;

/** Runs a statement's plan on a random model and compares. @throws CancelledError */
export async function ledgerRow(
  plan: LedgerPlan,
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
    return { ...describe(plan), ...outcome(plan, check.result(), stated.result()), ...counted(oracle, plan), rounds, wallMs };
  } finally {
    await check.release();
    await oracle.release();
  }
}

/** Data that satisfies theorem 4.1's assumption: scores near 0, values much alike. */
const tameData = { scoreScale: 0.02, variety: 0.05 };

/** The plan of a statement, and its name. */
export type LedgerPlan = StatementPlan & Pick<LedgerRow, 'statement'>;

/** The plan of a statement. @throws InputError for one that cannot be, or that would not fit into memory */
export function planStatement({ lemma, scenario, construction, causal, shape }: LedgerStatement, options: LedgerOptions): LedgerPlan {
  const own = { ...options, ...shape };
  const { tokens, blockSize, oracleLayers, oracleHeads } = own;
  const plan = planLayers({
    tokens,
    scenario,
    construction,
    model: modelShape(own),
    oracle: { inputLength: blockSize, layers: oracleLayers, heads: oracleHeads, causal },
  });
  checkMemory(plan, { executor: 'tiles', verify: 'rows', scored: false, processBytes: processBytes() }, 0, {
    length: '--tokens',
    whole: true,
  });
  return { ...plan, construction, statement: lemma ?? plan.bound.theorem };
}

/** A small model with the heads and layers asked for; every token of the sequence has an embedding of its own, up to a limit. */
export function modelShape({ layers, heads, tokens }: Pick<LedgerOptions, 'layers' | 'heads' | 'tokens'>): ModelShape {
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
  plan: LedgerPlan,
): Pick<
  LedgerRow,
  'statement' | 'construction' | 'scenario' | 'tokens' | 'layers' | 'heads' | 'oracle' | 'exact' | 'bound' | 'lowerBound'
> {
  const { statement, construction, scenario, tokens, model, oracle, bound } = plan;
  const { formula } = arrangementOf(scenario, construction, { ...oracle, tokens });
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

function counted({ calls }: OnnxOracle, { tokens, oracle }: LedgerPlan): Pick<LedgerRow, 'countedCalls' | 'retries' | 'callsPerBlock'> {
  const countedCalls = calls.attention - calls.retries;
  return { countedCalls, retries: calls.retries, callsPerBlock: callsPerBlock(countedCalls, tokens, oracle) };
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
