import type { Command } from 'commander';
import { InputError } from '../core/errors';
import { choiceDefinition, choiceDefinitions, makeChoice, type ScenarioChoice, type ScenarioParameters } from '../core/scenario/scenario';
import { parseCycle } from '../core/scenario/parse';
import {
  automaticBlock,
  constructionOf,
  defaultOptions,
  executors,
  oneOf,
  positiveNumber,
  precisions,
  providers,
  verifications,
  wholeNumber,
  type SimulationOptions,
} from '../core/options/options';
import { constructions } from '../core/construct/construction';
import { maximumTokens } from '../core/plan/partition';

/** Flags as the command line gives them: text, checked by `optionsFrom`. */
export interface Flags {
  readonly scenario: string;
  readonly window?: string;
  readonly sinks?: string;
  readonly seed?: string;
  readonly cycle?: string;
  readonly mask?: string;
  readonly block: string;
  readonly construction: string;
  readonly oracleLayers?: string;
  readonly oracleHeads?: string;
  readonly model: string;
  readonly provider: string;
  readonly executor?: string;
  readonly precision?: string;
  readonly threads: string;
  readonly verify: string;
  readonly seeds?: string;
  readonly epsilon?: string;
  readonly failureProbability?: string;
  readonly quality: boolean;
  readonly maxTokens?: string;
  readonly memoryLimit?: string;
  readonly json?: boolean;
}

const parameterNames = ['window', 'sinks', 'seed'] as const;

/** Adds the flag that chooses one scenario. */
export function addScenarioFlag(command: Command): Command {
  return command
    .option(
      '--scenario <kind>',
      `masking scenario: ${[...choiceDefinitions.map(({ kind }) => kind), 'per-layer'].join(', ')}`,
      defaultOptions.scenario.kind,
    )
    .option('--mask <expression>', 'mask of custom, in q, k and n: "k <= q and (q - k < 64 or k % 16 == 0)"')
    .option('--cycle <a,b,...>', 'scenarios of the layers under per-layer, repeated to the last layer: causal,sliding-window:512');
}

/** Adds the flags that plan, simulate and compare share. */
export function addFlags(command: Command): Command {
  return command
    .option('--window <r>', 'window of sliding-window, attention-sink and local-window (512)')
    .option('--sinks <s>', 'sinks of attention-sink (4)')
    .option('--seed <n>', 'seed of average-case (1)')
    .option(
      '--block <M>',
      'tokens that a call of the small transformer reads; auto: the fastest on a calibrated device',
      String(defaultOptions.blockSize),
    )
    .option('--construction <name>', `how calls are arranged: ${constructions.join(', ')}`, defaultOptions.construction)
    .option('--oracle-layers <n>', "layers L' of the small transformer (1)")
    .option('--oracle-heads <n>', "heads H' of the small transformer (the model's)")
    .option(
      '--model <folder or name>',
      'large transformer: a folder as Hugging Face has them, the included model, or for planning a preset such as llama-3.1-8b',
      defaultOptions.model,
    )
    .option('--provider <name>', `execution provider: ${providers.join(', ')}`, defaultOptions.provider)
    .option('--executor <name>', `how fused calls are run: ${executors.join(', ')}`, defaultOptions.executor)
    .option('--precision <name>', `products of compiled layers: ${precisions.join(', ')}`, defaultOptions.precision)
    .option('--threads <n>', 'threads of ONNX Runtime; 0 takes every core', String(defaultOptions.threads))
    .option('--verify <how>', `check against float64: ${verifications.join(', ')}`, defaultOptions.verify)
    .option('--seeds <n>', `samples over which average-case is tried; 0 tries none (${defaultOptions.seeds})`)
    .option('--epsilon <x>', `relative error that theorem 4.1 is asked to guarantee (${defaultOptions.epsilon})`)
    .option('--failure-probability <p>', `probability with which theorem 4.1 may miss it (${defaultOptions.failureProbability})`)
    .option('--no-quality', 'skip the causal baseline, perplexity and KL')
    .option('--max-tokens <n>', 'read only the first n tokens')
    .option('--memory-limit <MiB>', 'refuse plans above this peak (default: 80% of free memory)')
    .option('--json', 'print one JSON document on stdout');
}

/**
 * Options of a simulation from flags.
 *
 * @throws InputError that names the flag, the value and the fix
 */
export function optionsFrom(flags: Flags): SimulationOptions {
  const known = flags.scenario === 'per-layer' ? [] : choiceDefinition(flags.scenario).parameters;
  for (const name of parameterNames) {
    if (flags[name] !== undefined && !known.some((parameter) => parameter.name === name)) {
      throw new InputError(
        `--${name} ${flags[name]} does nothing under scenario ${flags.scenario}; leave it out or choose ${scenariosWith(name)}.`,
      );
    }
  }
  if (flags.mask !== undefined && flags.scenario !== 'custom') {
    throw new InputError(`--mask does nothing under scenario ${flags.scenario}; leave it out or choose custom.`);
  }
  const sampling = { '--seeds': flags.seeds, '--epsilon': flags.epsilon, '--failure-probability': flags.failureProbability };
  for (const [flag, value] of Object.entries(sampling)) {
    if (value !== undefined && flags.scenario !== 'average-case') {
      throw new InputError(`${flag} ${value} does nothing under scenario ${flags.scenario}; leave it out or choose average-case.`);
    }
  }
  return { ...commonOptions(flags), scenario: scenarioFrom(flags) };
}

function scenarioFrom(flags: Flags): ScenarioChoice {
  if (flags.scenario !== 'per-layer') {
    if (flags.cycle !== undefined) {
      throw new InputError(`--cycle ${flags.cycle} does nothing under scenario ${flags.scenario}; leave it out or choose per-layer.`);
    }
    return makeChoice(flags.scenario, parametersFrom(flags));
  }
  if (flags.cycle === undefined) {
    throw new InputError('Scenario "per-layer" needs the scenarios of its layers; give them with --cycle causal,sliding-window:512.');
  }
  return parseCycle(flags.cycle);
}

/** Options that do not depend on the scenario. @throws InputError */
export function commonOptions(flags: Flags): SimulationOptions {
  const optional = (flag: string, value: string | undefined, minimum: number, maximum: number): number | undefined =>
    value === undefined ? undefined : wholeNumber(flag, value, minimum, maximum);
  return {
    scenario: defaultOptions.scenario,
    blockSize: flags.block === 'auto' ? automaticBlock : wholeNumber('--block', flags.block, 2, maximumTokens),
    construction: constructionOf(flags.construction),
    oracleLayers: optional('--oracle-layers', flags.oracleLayers, 1, 1024),
    oracleHeads: optional('--oracle-heads', flags.oracleHeads, 1, 4096),
    model: flags.model,
    provider: oneOf('Provider', flags.provider, providers),
    precision: oneOf('Precision', flags.precision ?? defaultOptions.precision, precisions),
    executor: oneOf('Executor', flags.executor ?? defaultOptions.executor, executors),
    threads: wholeNumber('--threads', flags.threads, 0, 1024),
    verify: oneOf('Verification', flags.verify, verifications),
    seeds: optional('--seeds', flags.seeds, 0, 100_000) ?? defaultOptions.seeds,
    epsilon: flags.epsilon === undefined ? defaultOptions.epsilon : positiveNumber('--epsilon', flags.epsilon, 1),
    failureProbability:
      flags.failureProbability === undefined
        ? defaultOptions.failureProbability
        : positiveNumber('--failure-probability', flags.failureProbability, 1),
    quality: flags.quality,
    maxTokens: optional('--max-tokens', flags.maxTokens, 1, maximumTokens) ?? 0,
    memoryLimit: (optional('--memory-limit', flags.memoryLimit, 1, 1024 ** 3) ?? 0) * 1024 ** 2,
  };
}

/** The scenario parameters among the flags. @throws InputError */
export function parametersFrom(flags: Flags): ScenarioParameters {
  const parameters: ScenarioParameters = flags.mask === undefined ? {} : { expression: flags.mask };
  for (const name of parameterNames) {
    const value = flags[name];
    if (value !== undefined) {
      parameters[name] = wholeNumber(`--${name}`, value, 0, Number.MAX_SAFE_INTEGER);
    }
  }
  return parameters;
}

function scenariosWith(name: string): string {
  return choiceDefinitions
    .filter(({ parameters }) => parameters.some((parameter) => parameter.name === name))
    .map(({ kind }) => kind)
    .join(' or ');
}
