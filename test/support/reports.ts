import { createHash } from 'node:crypto';
import { defaultOptions, type SimulationOptions } from '../../src/core/options/table';
import { makePlan, summarise } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { reportSchemaVersion, type RunReport } from '../../src/core/report/report';
import type { VerdictKind } from '../../src/core/report/verdict';
import { makeScenario, type Scenario } from '../../src/core/scenario/scenario';
import { parameterCount } from '../../src/core/shapes';
import { smallModel } from './shapes';

/** What a test may choose about a report. */
export interface ReportChoice {
  readonly path?: string;
  readonly tokens?: number;
  readonly scenario?: Scenario;
  readonly construction?: SimulationOptions['construction'];
  readonly date?: string;
  readonly meanKl?: number | null;
  /** What the model was trained on: below `tokens`, quality is apart on both sides of it. */
  readonly trainedTokens?: number;
  readonly verdict?: VerdictKind;
}

/** The report of a run that never was: its plan is real, its measurements are made up. */
export function reportOf({
  path = 'prompt.md',
  tokens = 100,
  scenario = makeScenario('causal'),
  construction = 'fused',
  date = '2026-02-01T14:05:06.789Z',
  meanKl = 0.25,
  trainedTokens,
  verdict = 'exact',
}: ReportChoice = {}): RunReport {
  const trained = trainedTokens === undefined ? smallModel : { ...smallModel, trainedTokens };
  const plan = makePlan(planRequest(tokens, trained, { ...defaultOptions, scenario, blockSize: 16, construction }));
  const { tokens: length, model: shape, scenario: planned, oracle, construction: arranged, ...figures } = summarise(plan);
  return {
    schemaVersion: reportSchemaVersion,
    prompt: { path, bytes: 4 * length, sha256: createHash('sha256').update(path).digest('hex'), tokens: length },
    model: {
      name: 'small',
      shape,
      parameters: parameterCount(shape),
      tokenizer: { name: 'tokenizer.json', exact: true, reason: null, error: null },
    },
    scenario: planned,
    oracle,
    construction: arranged,
    plan: figures,
    prediction: null,
    run: {
      provider: 'cpu',
      device: 'Test CPU',
      threads: 2,
      executor: 'tiles',
      precision: 'float32',
      wallMs: 1234.5,
      phases: { tokenize: 10, project: 200, gather: 30, attend: 800, merge: 4.5, layer: 0, mlp: 200, verify: 50, quality: 60 },
      calls: { ...plan.calls, retries: 0, dispatches: 12 },
      peakRssBytes: 200 * 1024 ** 2,
    },
    fidelity: {
      reference: 'float64 attention',
      rows: 7,
      maxAbsError: 3.1e-7,
      maxRelError: 2e-6,
      logNormaliserError: 1e-6,
      rounding: { error: 1e-6, bound: 1e-5, largestBound: 2e-5 },
      seed: 5,
      wrongRows: [],
      probe: { rows: length, maxAbsError: 2.1e-7, maxRelError: 4e-7, logNormaliserError: 9e-7, wrongRows: [] },
    },
    sampling: null,
    quality:
      meanKl === null
        ? null
        : {
            baseline: { kind: 'causal' },
            baselineBy: 'own',
            ownBaseline: false,
            perplexity: 12.5,
            baselinePerplexity: 10,
            meanKl,
            topAgreement: 0.9,
            positions: length - 1,
            ...(trainedTokens !== undefined && {
              byTraining: {
                trainedTokens,
                within: { perplexity: 11, baselinePerplexity: 9.5, meanKl: meanKl / 8, topAgreement: 0.95, positions: trainedTokens },
                past: {
                  perplexity: 14,
                  baselinePerplexity: 10.5,
                  meanKl: 2 * meanKl,
                  topAgreement: 0.75,
                  positions: length - 1 - trainedTokens,
                },
              },
            }),
          },
    qualityNote: meanKl === null ? 'Quality was switched off for this run.' : null,
    verdict:
      verdict === 'failed'
        ? { kind: 'failed', bound: 1e-5, measured: 0.5, reason: 'A row has an error of 5.0e-1 of the largest value.' }
        : { kind: verdict, bound: 1e-5, measured: 1e-6, reason: 'Every row that was compared is within float32 rounding.' },
    environment: {
      twoHeads: '0.1.0',
      node: 'v20.19.0',
      onnxruntime: '1.30.0',
      platform: 'linux-x64',
      cpu: 'Test CPU',
      cores: 2,
      memoryBytes: 8 * 1024 ** 3,
      date,
    },
  };
}
