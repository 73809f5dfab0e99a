import type { Command } from 'commander';
import { InputError } from '../core/errors';
import { greedy } from '../core/generate/choose';
import { type GenerationOptions, generationText, largestGeneration } from '../core/generate/report';
import { positiveNumber, wholeNumber } from '../core/options/options';
import { generate } from '../engine/tasks/generate/generate';
import type { Surroundings } from './commands';
import { readPrompt } from '../engine/read/prompt';
import { optionsFrom, type Flags } from './flags';
import { print } from './print';
import { progressPrinter } from './progress';

/** Flags of a continuation. */
export interface GenerateFlags extends Flags {
  readonly tokens: string;
  readonly temperature?: string;
  readonly topK?: string;
  readonly topP?: string;
  readonly sampleSeed?: string;
  readonly baseline: boolean;
}

/** Adds the flags that say how a prompt is continued. */
export function addGenerateFlags(command: Command): Command {
  return command
    .option('--tokens <n>', 'tokens to add, at most', '32')
    .option('--temperature <x>', 'sample, with logits divided by this (greedy: always the most likely token)')
    .option('--top-k <n>', 'sample from the n most likely tokens')
    .option('--top-p <x>', 'sample from the fewest tokens whose probabilities come to x')
    .option('--sample-seed <n>', 'seed of the sample (1)')
    .option('--no-baseline', "leave out the continuation under the model's own attention");
}

/** `two-heads generate`: a few more tokens, under a scenario and under the model's own attention. */
export async function generateCommand(file: string, flags: GenerateFlags, surroundings: Surroundings): Promise<void> {
  const generation = generationFrom(flags);
  const options = optionsFrom(flags);
  const report = await generate(await readPrompt(file), options, generation, {
    ...surroundings,
    onProgress: progressPrinter(process.stderr, 'generate'),
  });
  print(flags, report, () => generationText(report));
}

/** How a prompt is continued. @throws InputError that names the flag, the value and the fix */
function generationFrom(flags: GenerateFlags): GenerationOptions {
  const { temperature, topK, topP, sampleSeed } = flags;
  for (const [flag, value] of Object.entries({ '--top-k': topK, '--top-p': topP, '--sample-seed': sampleSeed })) {
    if (value !== undefined && temperature === undefined) {
      throw new InputError(`${flag} ${value} does nothing without --temperature; add --temperature 1 or leave it out.`);
    }
  }
  return {
    tokens: wholeNumber('--tokens', flags.tokens, 1, largestGeneration),
    baseline: flags.baseline,
    temperature: temperature === undefined ? greedy.temperature : positiveNumber('--temperature', temperature, 100),
    topK: topK === undefined ? greedy.topK : wholeNumber('--top-k', topK, 1, Number.MAX_SAFE_INTEGER),
    topP: topP === undefined ? greedy.topP : positiveNumber('--top-p', topP, 1),
    seed: sampleSeed === undefined ? greedy.seed : wholeNumber('--sample-seed', sampleSeed, 0, 2 ** 32 - 1),
  };
}
