import { InputError } from '../core/errors';
import { type GenerationOptions, generationTable, generationText } from '../core/generate/report';
import { optionTable } from '../core/options/table';
import { failOn } from '../core/report/verdict';
import { readPrompt } from '../engine/read/prompt';
import { generate } from '../engine/tasks/generate/generate';
import { type Given, jsonOption, print, progressPrinter } from './io';
import { type Command, commonOptions, flagText, optionsFrom, scenarioOptions, valuesOf } from './options';
import { sourceFrom, sourceOptions } from './source';

const { baseline, quality, score } = optionTable;

/** What belongs to the quality of a prompt, which is not measured here. */
const foreignFlags: readonly string[] = [baseline, quality, score].map(({ flag }) => flag);

/** `two-heads generate`: a few more tokens, under a scenario and under the model's own attention. */
export const generateCommand: Command = {
  usage: 'generate <file>',
  description: 'continue a prompt by a few tokens under a scenario',
  // Its own --no-baseline leaves out a continuation: there is no divergence that another baseline, or a layout, would change.
  options: [
    ...scenarioOptions,
    ...commonOptions.filter(({ flag }) => !foreignFlags.includes(flag)),
    ...sourceOptions,
    jsonOption,
    ...Object.values(generationTable),
  ],
  instead: {
    [baseline.flag]:
      "it compares with a continuation under the model's own attention, which --no-baseline leaves out; two-heads simulate --baseline dense compares with a dense operator",
    [score.flag]: `it measures no quality of the prompt; two-heads simulate --${score.flag} does`,
    [`no-${quality.flag}`]: 'it measures no quality of the prompt; leave it out',
  },
  run: async ([file], given, io) => {
    const generation = generationFrom(given);
    const options = optionsFrom({ ...given, [baseline.flag]: undefined });
    const report = await generate(await readPrompt(file, io.stdin, await sourceFrom(given)), options, generation, {
      ...io,
      onProgress: progressPrinter(io, 'generate'),
    });
    print(io, given, report, () => generationText(report));
    failOn(report.verdict);
  },
};

/** How a prompt is continued. @throws InputError that names the flag, the value and the fix */
function generationFrom(given: Given): GenerationOptions {
  const { temperature, topK, topP, seed } = generationTable;
  for (const { flag } of [topK, topP, seed]) {
    if (given[flag] !== undefined && given[temperature.flag] === undefined) {
      throw new InputError(
        `${flagText(flag, given)} does nothing without --${temperature.flag}; add --${temperature.flag} 1 or leave it out.`,
      );
    }
  }
  return valuesOf(generationTable, given);
}
