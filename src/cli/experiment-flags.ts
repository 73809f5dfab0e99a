import type { Command } from 'commander';
import { constructions } from '../core/construct/construction';
import { InputError } from '../core/errors';
import {
  defaultExperiment,
  defaultNeedleGrid,
  type Experiment,
  scenarioGrid,
  type ScenarioText,
  windowsOf,
} from '../core/evaluate/experiment';
import { choiceDefinitions } from '../core/scenario/scenario';
import { parseCycle, splitList } from '../core/scenario/parse';
import { constructionOf, executors, oneOf, precisions, providers, wholeNumber } from '../core/options/options';
import { maximumTokens } from '../core/plan/partition';

/** Flags that say what is evaluated, as the command line gives them. */
export interface ExperimentFlags {
  readonly scenario: string;
  readonly window?: string;
  readonly sinks?: string;
  readonly seed?: string;
  readonly cycle?: string;
  readonly block: string;
  readonly construction: string;
  readonly context?: string;
  readonly stride?: string;
  readonly maxWindows?: string;
  readonly needle?: boolean;
  readonly needleLengths?: string;
  readonly needleDepths?: string;
  readonly quality: boolean;
  readonly model: string;
  readonly provider: string;
  readonly threads: string;
  readonly executor: string;
  readonly precision: string;
}

/** Adds the flags that say what is evaluated. */
export function addExperimentFlags(command: Command): Command {
  return command
    .option(
      '--scenario <a,b,...>',
      `masking scenarios: ${choiceDefinitions.map(({ kind }) => kind).join(', ')}; with numbers of its own, one is sliding-window:512 or attention-sink:512:4`,
      'sliding-window,attention-sink',
    )
    .option('--window <r,...>', 'windows of scenarios without numbers of their own (512)')
    .option('--sinks <s,...>', 'sinks of attention-sink (4)')
    .option('--seed <n,...>', 'seeds of average-case (1)')
    .option('--cycle <a,b,...>', 'one more scenario, whose layers differ, repeated to the last: causal,sliding-window:512')
    .option('--block <M,...>', 'tokens that a call of the small transformer reads', defaultExperiment.blocks.join())
    .option('--construction <name>', `how calls are arranged: ${constructions.join(', ')}`, defaultExperiment.construction)
    .option('--context <n>', 'tokens of a window, special tokens included (as many as the model has positions for, up to 2048)')
    .option('--stride <n>', 'tokens from the start of one window to that of the next; each token is scored once (the context)')
    .option('--max-windows <n>', 'read only the first n windows of each prompt')
    .option('--needle', 'also hide a needle in the text, and score its answer')
    .option('--needle-lengths <n,...>', 'tokens of the contexts that hide it (a quarter, a half and the whole of the context)')
    .option('--needle-depths <x,...>', 'shares of the text before it (0,0.25,0.5,0.75,1)')
    .option('--no-quality', 'only plan what it costs, which needs no weights')
    .option(
      '--model <folder or name>',
      'large transformer: a folder as Hugging Face has them, or the included model',
      defaultExperiment.model,
    )
    .option('--provider <name>', `execution provider: ${providers.join(', ')}`, defaultExperiment.provider)
    .option('--threads <n>', 'threads of ONNX Runtime; 0 takes every core', String(defaultExperiment.threads))
    .option('--executor <name>', `how fused calls are run: ${executors.join(', ')}`, defaultExperiment.executor)
    .option('--precision <name>', `products of compiled layers: ${precisions.join(', ')}`, defaultExperiment.precision);
}

/**
 * The experiment that flags ask for.
 *
 * @param prompts paths of prompts
 * @param onImpossible told of combinations of a grid that cannot be, and why
 * @throws InputError that names the flag, the value and the fix
 */
export function experimentFrom(
  prompts: readonly string[],
  flags: ExperimentFlags,
  onImpossible: (scenario: string, reason: string) => void,
): Experiment {
  const grid = scenarioGrid(splitList(flags.scenario), {
    window: numbers('--window', flags.window, 0),
    sinks: numbers('--sinks', flags.sinks, 0),
    seed: numbers('--seed', flags.seed, 0),
  });
  grid.impossible.forEach(({ scenario, reason }) => onImpossible(scenario, reason));
  if (grid.scenarios.length === 0) {
    throw new InputError(grid.impossible[0].reason);
  }
  const { version, ...defaults } = defaultExperiment;
  return {
    version,
    prompts,
    ...defaults,
    model: flags.model,
    scenarios: [...grid.scenarios, ...cycleFrom(flags.cycle)],
    blocks: numbers('--block', flags.block, 2),
    construction: constructionOf(flags.construction),
    context: flags.context === undefined ? defaultExperiment.context : wholeNumber('--context', flags.context, 2, maximumTokens),
    stride: flags.stride === undefined ? defaultExperiment.stride : wholeNumber('--stride', flags.stride, 1, maximumTokens),
    maximumWindows:
      flags.maxWindows === undefined ? defaultExperiment.maximumWindows : wholeNumber('--max-windows', flags.maxWindows, 1, maximumTokens),
    needle: needleFrom(flags),
    quality: flags.quality,
    provider: oneOf('Provider', flags.provider, providers),
    threads: wholeNumber('--threads', flags.threads, 0, 1024),
    executor: oneOf('Executor', flags.executor, executors),
    precision: oneOf('Precision', flags.precision, precisions),
  };
}

function cycleFrom(cycle: string | undefined): readonly ScenarioText[] {
  if (cycle === undefined) {
    return [];
  }
  // Read once for its errors.
  parseCycle(cycle);
  return [splitList(cycle)];
}

function needleFrom({ needle, needleLengths, needleDepths, context }: ExperimentFlags): Experiment['needle'] {
  if (needle !== true) {
    const [flag, value] = needleLengths !== undefined ? ['--needle-lengths', needleLengths] : ['--needle-depths', needleDepths];
    if (value !== undefined) {
      throw new InputError(`${flag} ${value} does nothing without --needle; add --needle or leave it out.`);
    }
    return null;
  }
  const usual = defaultNeedleGrid(windowsOf({ context: Number(context ?? 0), stride: 0 }).context);
  return {
    ...usual,
    lengths: needleLengths === undefined ? usual.lengths : numbers('--needle-lengths', needleLengths, 1),
    depths: needleDepths === undefined ? usual.depths : needleDepths.split(',').map(depthOf),
  };
}

function depthOf(text: string): number {
  const depth = text.trim() === '' ? NaN : Number(text);
  if (!(depth >= 0 && depth <= 1)) {
    throw new InputError(`--needle-depths of "${text}" is not possible; use numbers from 0 to 1, with commas between.`);
  }
  return depth;
}

/** Whole numbers with commas between, each once. */
function numbers(flag: string, text: string | undefined, minimum: number): number[] {
  return text === undefined ? [] : [...new Set(text.split(',').map((part) => wholeNumber(flag, part, minimum, Number.MAX_SAFE_INTEGER)))];
}
