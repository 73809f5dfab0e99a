import { InputError } from '../errors';
import { defaultsOf, type Option, type OptionTable, pick, type ValuesOf } from '../options/option';
import { optionTable, type SimulationOptions } from '../options/table';
import { contextLength, type ContextLengths } from '../plan/context-length';
import { maximumTokens } from '../plan/partition';
import { parseCycle, parseScenario, scenarioText } from '../scenario/parse';
import {
  choiceDefinition,
  makeChoice,
  type NumberName,
  type Scenario,
  type ScenarioChoice,
  scenarioLabel,
  type ScenarioParameters,
  type TextName,
} from '../scenario/scenario';
import { plainSource, type PromptSource, sourceTable } from '../source/options';
import type { Variables } from '../source/variables';
import type { Budgets } from './budgets';
import { type RetrievalRequest, retrievalTable } from './retrieval';

/** Version of the experiment file. Fields may be added under one version; none may change its meaning. */
export const experimentVersion = 1;

/** A scenario as text (`sliding-window:512`), or one for each layer, repeated to the last (`["causal", "sliding-window:512"]`). */
type ScenarioText = string | readonly string[];

/** Tokens of a window where nothing else is said. */
export const usualContext = 2048;

/** Every option of an experiment besides its prompts, scenarios, retrieval and results. */
export const experimentTable = {
  model: optionTable.model,
  blocks: {
    flag: 'block',
    symbol: 'M,...',
    description: 'M: tokens that a call of the small transformer may read. Every scenario is planned with each.',
    value: { type: 'list', of: optionTable.blockSize.value },
    default: [optionTable.blockSize.default],
  },
  separator: optionTable.separator,
  resetPositions: optionTable.resetPositions,
  construction: optionTable.construction,
  oracleLayers: optionTable.oracleLayers,
  oracleHeads: optionTable.oracleHeads,
  context: {
    flag: 'context',
    symbol: 'n',
    description: 'Tokens of a window: what the model reads at once, special tokens included.',
    value: {
      type: 'whole',
      minimum: 2,
      maximum: maximumTokens,
      zero: { word: 'auto', meaning: 'as many as the model was trained to read, up to 2048' },
    },
    default: 0,
  },
  stride: {
    flag: 'stride',
    symbol: 'n',
    description:
      'Tokens from the start of one window to that of the next; each token is scored once. A smaller one gives every token more context, at more runs.',
    value: { type: 'whole', minimum: 1, maximum: maximumTokens, zero: { word: 'context', meaning: 'as many as a window has' } },
    default: 0,
  },
  maximumWindows: {
    flag: 'max-windows',
    symbol: 'n',
    description: 'Windows of each prompt that are read, the first ones.',
    value: { type: 'whole', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, zero: { word: 'all', meaning: 'all of them' } },
    default: 0,
  },
  quality: {
    ...optionTable.quality,
    description: 'Whether anything is run; if not, only what it costs is planned, which needs no weights.',
    value: { type: 'switch', off: 'Only plan what it costs, which needs no weights.' },
  },
  score: optionTable.score,
  provider: optionTable.provider,
  threads: optionTable.threads,
  executor: optionTable.executor,
  precision: optionTable.precision,
  activations: optionTable.activations,
  baseline: optionTable.baseline,
  ...sourceTable,
} as const satisfies OptionTable;

/** The file that results go to. */
export const resultsOption = {
  flag: 'results',
  symbol: 'file.jsonl',
  description:
    'File that results are appended to, a line of JSON each, and that a run goes on from; or a folder/ that machines share, with a file for each writer.',
  value: { type: 'text' },
} as const satisfies Option;

/** Everything that repeats an evaluation or a sweep: what an experiment file holds. */
export interface Experiment extends ValuesOf<typeof experimentTable> {
  readonly version: typeof experimentVersion;
  /** Prompt files, and folders that stand for the prompt files in them and in the folders below; relative to the experiment file. */
  readonly prompts: readonly string[];
  /** Values of variables in the prompts. */
  readonly variables: Variables;
  readonly scenarios: readonly ScenarioText[];
  /** What is hidden in their text and asked for; null for nothing. */
  readonly retrieval: RetrievalRequest | null;
  /** Relative to the experiment file, as the model's folder is; null keeps none. */
  readonly results: string | null;
  /** What `two-heads check` holds every prompt against; null where the file has none. */
  readonly budgets: ExperimentBudgets | null;
}

/** Budgets with the tolerance of those that have none of their own. */
export type ExperimentBudgets = Budgets & { readonly tolerance?: string | undefined };

const standard = defaultsOf(experimentTable);

/** The experiment that a user gets who chooses only prompts. */
export const defaultExperiment: Omit<Experiment, 'prompts'> = {
  version: experimentVersion,
  model: standard.model,
  scenarios: ['sliding-window:512', 'attention-sink:512:4'],
  blocks: standard.blocks,
  separator: standard.separator,
  resetPositions: standard.resetPositions,
  construction: standard.construction,
  oracleLayers: standard.oracleLayers,
  oracleHeads: standard.oracleHeads,
  context: standard.context,
  stride: standard.stride,
  maximumWindows: standard.maximumWindows,
  retrieval: null,
  quality: standard.quality,
  score: standard.score,
  provider: standard.provider,
  threads: standard.threads,
  executor: standard.executor,
  precision: standard.precision,
  activations: standard.activations,
  baseline: standard.baseline,
  ...plainSource,
  results: null,
  budgets: null,
};

/** The context and stride of an experiment on a model. @param lengths that it states, if it is known already */
export function windowsOf(
  { context, stride }: Pick<Experiment, 'context' | 'stride'>,
  lengths: ContextLengths = {},
): { readonly context: number; readonly stride: number } {
  const tokens = context > 0 ? context : Math.min(usualContext, contextLength(lengths) ?? usualContext);
  return { context: tokens, stride: stride > 0 ? stride : tokens };
}

/** How the prompts of an experiment are read. */
export function sourceOf(experiment: Experiment): PromptSource {
  return pick(experiment, 'as', 'line', 'variables');
}

/** What is hidden where a user only asks for retrieval: in contexts of a quarter, a half and the whole of `context`. */
export function defaultRetrieval(context: number): RetrievalRequest {
  return { ...defaultsOf(retrievalTable), lengths: [...new Set([context / 4, context / 2, context].map(Math.floor))] };
}

/** A scenario of an experiment. @throws InputError for one that does not exist, or whose numbers are out of range */
export function scenarioOf(written: ScenarioText): ScenarioChoice {
  return typeof written === 'string' ? parseScenario(written) : parseCycle(written.join(','));
}

/** Values of scenario parameters that are tried, by name. A parameter that is left out has its default. */
type ParameterLists = Partial<Record<NumberName, readonly number[]>>;

/**
 * Every scenario with every combination of the parameters that it takes, each once, in order.
 *
 * @param names kinds such as `sliding-window`, or scenarios with their numbers, such as `sliding-window:512`, which stay as they are
 * @param texts of kinds that take one, each used where its kind is named
 * @throws InputError for a kind that does not exist, numbers and texts that do not fit it, and values that no scenario here takes
 */
export function scenarioGrid(
  names: readonly string[],
  lists: ParameterLists,
  texts: Pick<ScenarioParameters, TextName> = {},
): readonly ScenarioText[] {
  const scenarios = new Map<string, ScenarioText>();
  const used = new Set<string>();
  for (const name of names.map((each) => each.trim())) {
    if (name.includes(':')) {
      const scenario = parseScenario(name);
      scenarios.set(scenarioLabel(scenario), scenarioText(scenario));
      continue;
    }
    const parameters = choiceDefinition(name).parameters.map((parameter) => parameter.name);
    parameters.forEach((parameter) => used.add(parameter));
    for (const values of combinations(parameters, lists)) {
      const scenario = makeChoice(name, { ...values, ...texts });
      scenarios.set(scenarioLabel(scenario), textOf(scenario));
    }
  }
  for (const [name, values] of Object.entries(lists)) {
    if (values.length > 0 && !used.has(name)) {
      throw new InputError(
        `--${name} ${values.join()} does nothing under ${names.join(', ')}; leave it out or name a scenario that takes it, without numbers of its own.`,
      );
    }
  }
  return [...scenarios.values()];
}

/** Every choice of one value for each parameter that has values. */
function combinations(names: readonly NumberName[], lists: ParameterLists): ScenarioParameters[] {
  return names.reduce<ScenarioParameters[]>(
    (chosen, name) => {
      const values = lists[name] ?? [];
      return values.length === 0 ? chosen : chosen.flatMap((each) => values.map((value) => ({ ...each, [name]: value })));
    },
    [{}],
  );
}

/** What an evaluation of one prompt takes from the options in force. Its `quality` is another: whether anything is run. */
const sharedNames = [
  'model',
  'separator',
  'resetPositions',
  'construction',
  'oracleLayers',
  'oracleHeads',
  'score',
  'provider',
  'threads',
  'executor',
  'precision',
  'activations',
  'baseline',
] as const satisfies readonly (keyof SimulationOptions)[];

/**
 * The experiment that evaluates the prompt in front: the scenario in force first, then others to hold it against.
 *
 * @param others scenarios that the prompt can have under these options
 * @param retrieval whether statements are hidden too, and N, which limits their contexts
 */
export function promptEvaluation(
  path: string,
  chosen: ScenarioChoice,
  others: readonly Scenario[],
  options: Pick<SimulationOptions, (typeof sharedNames)[number] | 'blockSize'>,
  retrieval: { readonly tokens: number } | null,
): Experiment {
  const scenarios = new Map([chosen, ...others].map((scenario): [string, ScenarioText] => [scenarioLabel(scenario), textOf(scenario)]));
  return {
    ...defaultExperiment,
    ...pick(options, ...sharedNames),
    prompts: [path],
    scenarios: [...scenarios.values()],
    blocks: [options.blockSize],
    retrieval: retrieval === null ? null : defaultRetrieval(Math.min(windowsOf(defaultExperiment).context, retrieval.tokens)),
  };
}

/** A scenario as an experiment file has it, which `scenarioOf` reads. */
export function textOf(scenario: ScenarioChoice): ScenarioText {
  return scenario.kind === 'per-layer' ? scenario.cycle.map(scenarioText) : scenarioText(scenario);
}
