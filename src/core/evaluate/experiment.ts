import type { Construction } from '../construct/construction';
import type { NeedleTask } from './needles';
import { defaultNeedle } from './needles';
import type { ScenarioChoice } from '../scenario/scenario';
import { parseCycle, parseScenario } from '../scenario/parse';
import { defaultOptions, type Executor, type Precision, type Provider } from '../options/options';

/** Version of the experiment file. Fields may be added under one version; none may change its meaning. */
export const experimentVersion = 1;

/** A scenario as text (`sliding-window:512`), or one for each layer, repeated to the last (`["causal", "sliding-window:512"]`). */
export type ScenarioText = string | readonly string[];

/** Needles that are hidden in the text of the prompts: a test for every length and depth. */
export interface NeedleGridRequest extends NeedleTask {
  /** Tokens of the context, special tokens, needle and question included, the answer not. */
  readonly lengths: readonly number[];
  /** Shares of the haystack before the needle, from 0 to 1. */
  readonly depths: readonly number[];
}

/** Everything that repeats an evaluation or a sweep: what an experiment file holds. */
export interface Experiment {
  readonly version: typeof experimentVersion;
  /** Prompt files, and folders that stand for the prompt files in them; relative to the experiment file. */
  readonly prompts: readonly string[];
  /** The name of a model that ships, or a folder relative to the experiment file. */
  readonly model: string;
  readonly scenarios: readonly ScenarioText[];
  /** M: tokens that a call of the small transformer may read. Every scenario is planned with each. */
  readonly blocks: readonly number[];
  readonly construction: Construction;
  /** Tokens of a window: what the model reads at once, special tokens included. 0: as many as it has positions for, up to 2048. */
  readonly context: number;
  /** Tokens from the start of one window to that of the next; each token is scored once, in the first window that has it. 0: the context. */
  readonly stride: number;
  /** Windows of a prompt that are read, the first ones; 0 reads all. */
  readonly maximumWindows: number;
  readonly needle: NeedleGridRequest | null;
  /** Whether anything is run; else only what it costs is planned, which needs no weights. */
  readonly quality: boolean;
  readonly provider: Provider;
  /** Threads of ONNX Runtime; 0 takes every core. */
  readonly threads: number;
  readonly executor: Executor;
  readonly precision: Precision;
  /** File that results are appended to and resumed from, relative to the experiment file; null keeps none. */
  readonly results: string | null;
}

/** The experiment that a user gets who chooses only prompts. */
export const defaultExperiment: Omit<Experiment, 'prompts'> = {
  version: experimentVersion,
  model: defaultOptions.model,
  scenarios: ['sliding-window:512', 'attention-sink:512:4'],
  blocks: [defaultOptions.blockSize],
  construction: defaultOptions.construction,
  context: 0,
  stride: 0,
  maximumWindows: 0,
  needle: null,
  quality: true,
  provider: defaultOptions.provider,
  threads: defaultOptions.threads,
  executor: defaultOptions.executor,
  precision: defaultOptions.precision,
  results: null,
};

/** Tokens of a window where nothing else is said. */
const usualContext = 2048;

/** The context and stride of an experiment on a model. @param maximumTokens that it has positions for, if there is a limit */
export function windowsOf(
  { context, stride }: Pick<Experiment, 'context' | 'stride'>,
  maximumTokens = Infinity,
): { readonly context: number; readonly stride: number } {
  const tokens = context > 0 ? context : Math.min(usualContext, maximumTokens);
  return { context: tokens, stride: stride > 0 ? stride : tokens };
}

/** The needles that are hidden where a user only asks for some: in contexts of a quarter, a half and the whole of `context`. */
export function defaultNeedleGrid(context: number): NeedleGridRequest {
  return { ...defaultNeedle, lengths: [...new Set([context / 4, context / 2, context].map(Math.floor))], depths: [0, 0.25, 0.5, 0.75, 1] };
}

/** A scenario of an experiment. @throws InputError for one that does not exist, or whose numbers are out of range */
export function scenarioOf(text: ScenarioText): ScenarioChoice {
  return typeof text === 'string' ? parseScenario(text) : parseCycle(text.join(','));
}
