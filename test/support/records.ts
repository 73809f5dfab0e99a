import { join } from 'node:path';
import type { AtlasReport } from '../../src/core/atlas/report';
import { defaultExperiment } from '../../src/core/evaluate/experiment';
import { summariseQuality } from '../../src/core/evaluate/quality-summary';
import type { ExperimentSummary, SummedPoint } from '../../src/core/evaluate/report';
import { positionBins, summariseWindow } from '../../src/core/evaluate/statistics';
import type { RetrievalReport } from '../../src/core/evaluate/retrieval';
import type { Continuation, GenerationReport } from '../../src/core/generate/report';
import { greedy } from '../../src/core/generate/choose';
import { defaultLedgerOptions, type LedgerReport } from '../../src/core/ledger/report';
import type { LabRecord, LabResult } from '../../src/core/record/record';
import { keptShares } from '../../src/core/atlas/oracle-curve';
import type { ComparisonReport } from '../../src/core/report/report';
import { makeScenario, type Scenario } from '../../src/core/scenario/scenario';
import { RecordFiles, recordOf } from '../../src/engine/store/records';
import { adviceOf, advisedMask } from './advices';
import { type ReportChoice, reportOf } from './reports';
import { temporaryFolder } from './temporary';

/** Results that never were, of every kind: what is in them fits together, their measurements are made up. */

export function comparisonOf(choice: ReportChoice = {}): ComparisonReport {
  const runs = [makeScenario('causal'), makeScenario('sliding-window', { window: 20 })].map((scenario) =>
    reportOf({ ...choice, scenario, meanKl: scenario.kind === 'causal' ? 0 : 0.25 }),
  );
  const [{ schemaVersion, prompt, model, verdict }] = runs;
  return { schemaVersion, prompt, model, runs, verdict, refused: [{ scenario: makeScenario('full'), reason: 'It looks ahead.' }] };
}

/** A needle that was found, though less surely than under the model's own attention. */
const found: RetrievalReport = {
  cases: [
    {
      ...{ task: 'chains', hops: 2, length: 64, depth: 0.5, measured: 'found', expected: null },
      ...{ logProbability: -0.5, rank: 1, baselineLogProbability: -0.25, baselineRank: 1 },
    },
  ],
  ...{ found: 1, expected: null, differing: 0 },
};

/** @param harm what the mask loses, in nats */
export function evaluationOf({ path, date }: ReportChoice = {}, harm = 0.5): ExperimentSummary {
  const run = reportOf({ ...(path !== undefined && { path }), ...(date !== undefined && { date }) });
  const { prompt, model, plan, verdict, environment, schemaVersion } = run;
  const pointOf = (scenario: Scenario, lost: number): SummedPoint => {
    const rows = Array.from({ length: 15 }, (_, position) => ({
      position,
      ...{ loss: 3 + lost, baselineLoss: 3, divergence: lost, agrees: position % 4 !== 0, touched: position > 7 },
    }));
    const windows = [summariseWindow(rows, positionBins(16)), summariseWindow(rows, positionBins(16))];
    return {
      scenario,
      blockSize: 16,
      cost: {
        ...{ tokens: 16, calls: plan.calls, flops: plan.flops, attentionFlops: plan.flopsByPhase.attend },
        ...{ bytes: plan.bytes, peakBytes: 2 * plan.bytes, predictedMs: null },
      },
      quality: summariseQuality([{ windows, sizes: Array(2).fill({ bytes: 64, words: 10 }), end: 15 }]),
      qualityNote: null,
      measuredBlockSize: 16,
      measured: { windows: 2, wallMs: 400, calls: 2 * plan.calls.total },
      retrieval: lost === 0 ? null : found,
      verdict,
      ...{ ownBaseline: lost === 0, onFront: true, tie: false },
    };
  };
  return {
    schemaVersion,
    experiment: { ...defaultExperiment, prompts: [prompt.path], context: 16, stride: 16 },
    model,
    baseline: { kind: 'causal' },
    verdict,
    prompts: [{ ...prompt, windows: 2 }],
    points: [pointOf(makeScenario('causal'), 0), pointOf(makeScenario('sliding-window', { window: 8 }), harm)],
    resumed: 0,
    environment,
  };
}

/** @param calls that each row counts */
export function ledgerOf({ date }: ReportChoice = {}, calls = 12): LedgerReport {
  const { environment, oracle, verdict, schemaVersion } = reportOf(date === undefined ? {} : { date });
  return {
    schemaVersion,
    options: defaultLedgerOptions,
    rows: (['tight', 'paper'] as const).map((construction) => ({
      statement: 'Theorem 3.5',
      construction,
      scenario: { kind: 'full' },
      ...{ tokens: 1000, layers: 2, heads: 6, oracle },
      ...{
        countedCalls: calls,
        callsPerBlock: 1.5,
        retries: 0,
        exact: { formula: 'n', calls },
        bound: { formula: '2n', calls: 2 * calls },
      },
      ...{ lowerBound: 3, rounds: 2, outputError: 1e-7, logNormaliserError: null, readsNormaliser: false },
      stated: { error: 1e-5, reason: 'rounding' },
      verdict: 'exact' as const,
      wallMs: 100,
    })),
    sampling: {
      ...{ data: 'made up', tokens: 1000, sample: 129, epsilon: 0.5, failureProbability: 0.1, rows: 10 },
      heads: [{ layer: 0, head: 0, logC: 1, d: 0.5, logNeededLength: Infinity, holds: false }],
      ...{ holds: false, logNeededLength: Infinity, seeds: 3, within: 2 },
      errors: { minimum: 0.1, median: 0.2, ninetiethPercentile: 0.3, maximum: 0.4 },
    },
    samplingVerdict: verdict,
    environment,
  };
}

export function atlasOf(choice: ReportChoice = {}): AtlasReport {
  const run = reportOf(choice);
  const scenario = makeScenario('sliding-window', { window: 20 });
  const { blocks } = run.plan;
  const curve = { tiles: 10, calls: 4, kept: keptShares.map((share) => ({ share, eachBlock: 4, calls: 2, together: 3 })) };
  return {
    ...run,
    atlas: {
      cells: { side: blocks, blocks: 1 },
      heads: [
        {
          ...{ layer: 0, head: 0, mass: Array<number>(blocks ** 2).fill(1 / blocks), entropy: 1, firstTile: 0.5, firstToken: 0.25 },
          ...{ learnedSink: null, byDistance: [0.5, 0.5], tiles: 10, fewest: keptShares.map(() => 4) },
          cut: { share: 0.125, mass: Array<number>(blocks ** 2).fill(0) },
        },
      ],
      layers: [{ layer: 0, ...curve }],
      oracle: curve,
      cut: { scenario, share: 0.125 },
      massError: 1e-7,
    },
    byToken: null,
    masked: reportOf({ ...choice, scenario }),
  };
}

/** A continuation of one word after another. */
function continued(scenario: Scenario, words: readonly string[]): Continuation {
  const texts = words.map((word) => ` ${word}`);
  return {
    scenario,
    text: texts.join(''),
    tokens: texts.map((text, index) => ({ id: text.length, text, from: texts.slice(0, index).join('').length, logProbability: -1 })),
    ...{ ended: 'length', cachedKeys: 10, cacheBytes: 100, reruns: { times: 0, tokens: 0 }, prefillMs: 3, decodeMs: 4 },
    prefillCalls: { attention: 10, tokenwise: 5, dispatches: 3 },
    decodeCalls: { attention: 6, tokenwise: 3, dispatches: 9 },
    fidelity: null,
  };
}

/** @param own what the model's own attention adds; null for none @param masked what the mask adds */
export function continuationOf(
  { path, date }: ReportChoice = {},
  own: readonly string[] | null = ['once', 'upon', 'a\n', 'time'],
  masked: readonly string[] = ['once', 'upon', 'no', 'time'],
): GenerationReport {
  const { schemaVersion, prompt, model, oracle, verdict, environment } = reportOf({
    ...(path !== undefined && { path }),
    ...(date !== undefined && { date }),
  });
  const differs = masked.findIndex((word, index) => word !== own?.[index]);
  return {
    ...{ schemaVersion, prompt, model, oracle, verdict, environment },
    generation: { ...greedy, tokens: masked.length, baseline: true },
    continuation: continued(makeScenario('sliding-window', { window: 20 }), masked),
    baseline: own && continued({ kind: 'causal' }, own),
    sameTokens: own && (differs < 0 ? masked.length : differs),
    run: { provider: 'cpu', device: 'CPU', threads: 2, peakRssBytes: 1e8 },
  };
}

/** One result of each kind, each a minute after the one before. */
export function resultsOfEveryKind(path = 'prompt.md'): LabResult[] {
  const at = (minute: number): ReportChoice => ({ path, date: new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString() });
  return [
    { kind: 'run', origin: null, report: reportOf(at(1)) },
    { kind: 'comparison', origin: null, report: comparisonOf(at(2)) },
    { kind: 'evaluation', origin: null, file: null, report: evaluationOf(at(3)) },
    { kind: 'ledger', origin: null, report: ledgerOf(at(4)) },
    { kind: 'atlas', origin: null, report: atlasOf(at(5)) },
    { kind: 'continuation', origin: null, report: continuationOf(at(6)) },
    { kind: 'advice', origin: null, report: adviceOf([advisedMask(30, 0.01), advisedMask(20, 0.04)], [advisedMask(25, 0.03)], at(7)) },
  ];
}

/** A result as it is read again after it was kept in a file. @throws where it cannot be read */
export async function keptAgain(result: LabResult): Promise<LabRecord> {
  const files = new RecordFiles(join(temporaryFolder(), 'kept'));
  await files.add(recordOf(result));
  const { records, skipped } = await files.read();
  if (records.length === 0) {
    throw new Error(skipped.join(' '));
  }
  return records[0];
}
