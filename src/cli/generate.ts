import { InputError } from '../core/errors';
import { type GenerationOptions, generationTable, generationText } from '../core/generate/report';
import { readPrompt } from '../engine/read/prompt';
import { generate } from '../engine/tasks/generate/generate';
import { type Given, jsonOption, print, progressPrinter } from './io';
import { type Command, commonOptions, flagText, optionsFrom, scenarioOptions, valuesOf } from './options';
import { sourceFrom, sourceOptions } from './source';

/** `two-heads generate`: a few more tokens, under a scenario and under the model's own attention. */
export const generateCommand: Command = {
  usage: 'generate <file>',
  description: 'continue a prompt by a few tokens under a scenario',
  options: [...scenarioOptions, ...commonOptions, ...sourceOptions, jsonOption, ...Object.values(generationTable)],
  run: async ([file], given, io) => {
    const generation = generationFrom(given);
    const options = optionsFrom(given);
    const report = await generate(await readPrompt(file, io.stdin, await sourceFrom(given)), options, generation, {
      ...io,
      onProgress: progressPrinter(io, 'generate'),
    });
    print(io, given, report, () => generationText(report));
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
