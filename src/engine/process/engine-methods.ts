import type { AdviseOptions } from '../../core/advise/options';
import type { AdviceReport } from '../../core/advise/report';
import type { AtlasReport } from '../../core/atlas/report';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import type { BudgetCheck } from '../../core/evaluate/budget-checks';
import type { ExperimentSummary } from '../../core/evaluate/report';
import type { GenerationOptions, GenerationReport } from '../../core/generate/report';
import type { ExperimentOutlook } from '../../core/lab/outlook';
import type { LedgerOptions, LedgerReport } from '../../core/ledger/report';
import type { CalibrationOptions, SimulationOptions } from '../../core/options/table';
import type { Calibration } from '../../core/predict/calibration';
import type { OnProgress } from '../../core/report/phases';
import type { ComparisonReport, RunReport } from '../../core/report/report';
import type { ShardResult } from '../../core/shards/report';
import { type Scenario, scenarioLabel } from '../../core/scenario/scenario';
import type { PromptSource } from '../../core/source/options';
import { type Device, openDevice } from '../attend/runtime/provider';
import { promptFromText } from '../read/prompt';
import { reportsFrom } from '../read/report/reports';
import type { DigestStore } from '../store/digests';
import { advise } from '../tasks/advise/advise';
import { atlas } from '../tasks/atlas/atlas';
import { calibrateProvider } from '../tasks/calibrate/calibrate';
import { compare, planComparison } from '../tasks/compare';
import { checkFile } from '../tasks/evaluate/budgets';
import { expectedMs, outlookOf, type OutlookRequest } from '../tasks/evaluate/outlook';
import { type MeasuredUnit, type MeasureRequest, WarmMeasurer } from '../tasks/evaluate/measure';
import { evaluate, type EvaluateRequest } from '../tasks/evaluate/run-experiment';
import { generate } from '../tasks/generate/generate';
import { runLedger } from '../tasks/ledger/ledger';
import type { Places } from '../tasks/plan';
import { measureShard, type ShardRequest } from '../tasks/shards/measure-shard';
import { simulate } from '../tasks/simulate';
import type { CallContext } from './rpc';

/** The methods of the engine process: messages and the client's calls are derived from this interface. */
export interface EngineMethods {
  /** Runs a prompt and reports. @throws InputError, CancelledError */
  simulate(request: SimulateRequest, context: CallContext): Promise<RunReport>;
  /** Runs a prompt under each of several scenarios that it can have, hands over each run when it ends, and reports on all. @throws InputError, CancelledError */
  compare(request: CompareRequest, context: CallContext): Promise<ComparisonReport>;
  /** Runs a prompt under the model's own attention, says where that goes, and what a scenario cuts off. @throws InputError, CancelledError */
  atlas(request: SimulateRequest, context: CallContext): Promise<AtlasReport>;
  /** Finds the cheapest masks that keep a prompt's predictions within a limit. @throws InputError, CancelledError */
  advise(request: AdviseRequest, context: CallContext): Promise<AdviceReport>;
  /** Continues a prompt by a few tokens. @throws InputError, CancelledError */
  generate(request: GenerateRequest, context: CallContext): Promise<GenerationReport>;
  /** Plans an experiment's scenarios and measures their quality. @throws InputError, CancelledError */
  evaluate(request: EvaluateRequest, context: CallContext): Promise<ExperimentSummary>;
  /** What an experiment file costs, and what earlier runs have kept of it; runs nothing. @throws InputError */
  outlook(request: OutlookRequest, context: CallContext): Promise<ExperimentOutlook>;
  /** Milliseconds that an experiment is still expected to take; null where the device is not calibrated. @throws InputError */
  expectedMs(request: EvaluateRequest, context: CallContext): Promise<number | null>;
  /** Measures the prompts of an experiment file, and holds its budgets against them. @throws InputError, CancelledError */
  check(request: { readonly file: string }, context: CallContext): Promise<readonly BudgetCheck[]>;
  /** The runs in a file's text, as they were printed or exported. @throws InputError */
  readRuns(request: { readonly path: string; readonly text: string }, context: CallContext): Promise<readonly RunReport[]>;
  /** Tries a device, and says what it is. @throws InputError where it is not there or does not run */
  openDevice(device: CalibrationOptions, context: CallContext): Promise<Pick<Device, 'name'>>;
  /** Measures a row of an experiment. @throws InputError, CancelledError */
  measure(request: MeasureRequest, context: CallContext): Promise<MeasuredUnit[]>;
  /** Runs a shard of a prompt. @throws InputError, CancelledError */
  measureShard(request: ShardRequest, context: CallContext): Promise<ShardResult>;
  /** Runs every statement of the paper on a random model. @throws InputError, CancelledError */
  ledger(options: LedgerOptions, context: CallContext): Promise<LedgerReport>;
  /** Measures a device and stores the result. @throws InputError if the provider is not available, CancelledError */
  calibrate(options: CalibrationOptions, context: CallContext): Promise<Calibration>;
}

/** A prompt's text and options; plain data. */
interface SimulateRequest {
  readonly path: string;
  readonly text: string;
  /** How it is read; as its name says where it is left out. */
  readonly source?: PromptSource | undefined;
  readonly options: SimulationOptions;
}

/** A prompt to run under several scenarios; plain data. The scenario among the options does not matter. */
interface CompareRequest extends SimulateRequest, WantedScenarios {}

/** A prompt to find masks for; plain data. */
interface AdviseRequest extends Omit<SimulateRequest, 'options'> {
  readonly options: AdviseOptions;
}

/** A prompt to continue; plain data. */
interface GenerateRequest extends SimulateRequest {
  readonly generation: GenerationOptions;
}

/** The engine's methods. */
export function engineMethods(places: Places & { readonly digests: DigestStore }): EngineMethods {
  const measurer = new WarmMeasurer();
  return {
    simulate: ({ path, text, source, options }, context) =>
      simulate(promptFromText(path, text, source), options, { ...context, ...places }),
    compare: async ({ path, text, source, options, ...wanted }, { signal, onProgress, onRun }) => {
      const planned = await planComparison(promptFromText(path, text, source), wanted, options, places);
      const count = planned.possible.length;
      const progressOf =
        (scenario: Scenario, index: number): OnProgress =>
        ({ fraction, phase, message }) =>
          onProgress({
            fraction: (index + fraction) / count,
            phase,
            message: `${scenarioLabel(scenario)} (${index + 1} of ${count}), ${message}`,
          });
      return compare(planned, options, { signal, progressOf, onRun });
    },
    atlas: ({ path, text, source, options }, context) => atlas(promptFromText(path, text, source), options, { ...context, ...places }),
    advise: ({ path, text, source, options }, context) => advise(promptFromText(path, text, source), options, { ...context, ...places }),
    generate: ({ path, text, source, options, generation }, context) =>
      generate(promptFromText(path, text, source), options, generation, { ...context, ...places }),
    evaluate: (request, context) => evaluate(request, { ...context, ...places }),
    outlook: (request, { signal }) => outlookOf(request, { signal, onProgress: () => undefined, ...places }),
    expectedMs: (request, { signal }) => expectedMs(request, { signal, onProgress: () => undefined, ...places }),
    check: ({ file }, context) => checkFile(file, { ...context, ...places }),
    readRuns: ({ path, text }) => Promise.resolve(reportsFrom(text, path)),
    openDevice: async ({ provider, threads }) => {
      const { name } = await openDevice(provider, threads);
      return { name };
    },
    measure: (request, { signal, onProgress }) =>
      measurer.measure(request, { signal, onProgress: (fraction, message) => onProgress({ fraction, phase: 'quality', message }) }),
    measureShard: (request, { signal, onProgress }) =>
      measureShard(request, { signal, onProgress: (fraction, phase, message) => onProgress({ fraction, phase, message }) }),
    ledger: (options, context) => runLedger(options, context),
    calibrate: (options, context) => calibrateProvider(options, { ...context, ...places }),
  };
}
