import type { Construction } from '../construct/construction';
import { InputError, messageOf } from '../errors';
import { defaultOptions, type Executor, type Precision, type Provider, type SimulationOptions } from '../options/options';
import { parseCycle, parseScenario, scenarioText } from '../scenario/parse';
import {
  choiceDefinition,
  type LayerScenario,
  makeChoice,
  type NativeScenario,
  type NumberName,
  type Scenario,
  type ScenarioChoice,
  scenarioLabel,
  type ScenarioParameters,
} from '../scenario/scenario';
import { defaultNeedle, type NeedleTask } from './needles';

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

/** Values of scenario parameters that are tried, by name. A parameter that is left out has its default. */
type ParameterLists = Partial<Record<NumberName, readonly number[]>>;

/** The scenarios of a grid, and those that cannot be, each with why. */
interface ScenarioGrid {
  readonly scenarios: readonly ScenarioText[];
  readonly impossible: readonly { readonly scenario: string; readonly reason: string }[];
}

/**
 * Every scenario with every combination of the parameters that it takes, each once, in order.
 *
 * @param names kinds such as `sliding-window`, or scenarios with their numbers, such as `sliding-window:512`, which stay as they are
 * @throws InputError for a kind that does not exist, numbers that do not fit it, and values that no scenario here takes
 */
export function scenarioGrid(names: readonly string[], lists: ParameterLists): ScenarioGrid {
  const scenarios = new Map<string, ScenarioText>();
  const impossible: { scenario: string; reason: string }[] = [];
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
      try {
        const scenario = makeChoice(name, values);
        scenarios.set(scenarioLabel(scenario), scenarioText(scenario));
      } catch (error) {
        impossible.push({ scenario: [name, ...Object.values(values)].join(':'), reason: messageOf(error) });
      }
    }
  }
  for (const [name, values] of Object.entries(lists)) {
    if (values.length > 0 && !used.has(name)) {
      throw new InputError(
        `--${name} ${values.join()} does nothing under ${names.join(', ')}; leave it out or name a scenario that takes it, without numbers of its own.`,
      );
    }
  }
  return { scenarios: [...scenarios.values()], impossible };
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

/** What an evaluation of one prompt takes from the options in force. */
type EvaluationOptions = Pick<
  SimulationOptions,
  'model' | 'construction' | 'provider' | 'threads' | 'executor' | 'precision' | 'blockSize'
>;

/**
 * The experiment that evaluates the prompt in front: the scenario in force first, then others to hold it against.
 *
 * @param others scenarios that the prompt can have under these options
 * @param tokens N, which limits the contexts of needles
 */
export function promptEvaluation(
  path: string,
  chosen: ScenarioChoice,
  others: readonly Scenario[],
  { blockSize, ...options }: EvaluationOptions,
  needle: { readonly tokens: number } | null,
): Experiment {
  const scenarios = new Map([chosen, ...others].map((scenario): [string, ScenarioText] => [scenarioLabel(scenario), textOf(scenario)]));
  return {
    ...defaultExperiment,
    ...options,
    prompts: [path],
    scenarios: [...scenarios.values()],
    blocks: [blockSize],
    needle: needle === null ? null : defaultNeedleGrid(Math.min(windowsOf(defaultExperiment).context, needle.tokens)),
  };
}

function textOf(scenario: ScenarioChoice): ScenarioText {
  const single = (layer: LayerScenario | NativeScenario): string => scenarioText(layer);
  return scenario.kind === 'per-layer' ? scenario.cycle.map(single) : single(scenario);
}
