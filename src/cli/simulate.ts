import { resultsOption } from '../core/evaluate/experiment';
import type { Option } from '../core/options/option';
import { toJson } from '../core/report/json';
import { failOn, type Verdict } from '../core/report/verdict';
import { readPrompt } from '../engine/read/prompt';
import { simulate } from '../engine/tasks/simulate';
import { jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, commonOptions, optionsFrom, scenarioOptions, textGiven } from './options';
import { checkOutputs } from './outputs';
import { asksForShards, performShards, shardsOptions } from './shards';
import { runText, shardsText } from './simulate-text';
import { sourceFrom, sourceOptions } from './source';

const outOption: Option = {
  flag: 'out',
  symbol: 'report.json',
  description: 'Also write the report to a file.',
  value: { type: 'text' },
};

/** `two-heads simulate`: runs the prompt and proves the result. */
export const simulateCommand: Command = {
  usage: 'simulate <file>',
  description: 'run a prompt and check the result',
  options: [...scenarioOptions, ...commonOptions, ...sourceOptions, ...shardsOptions, jsonOption, outOption],
  run: async ([file], given, io) => {
    const options = optionsFrom(given);
    const inShards = asksForShards(given);
    const out = textGiven(outOption, given);
    const results = [textGiven(resultsOption, given)];
    await checkOutputs([{ flag: '--out', path: out }], { files: [file], model: options.model, results }, given, io);
    const prompt = await readPrompt(file, io.stdin, await sourceFrom(given));
    const write = async <Report extends { readonly verdict: Verdict }>(
      report: Report,
      textOf: (report: Report) => string,
    ): Promise<void> => {
      if (out !== undefined) {
        await writeWhole(out, `${toJson(report, 2)}\n`);
        io.stderr.write(`report written to ${out}\n`);
      }
      print(io, given, report, () => textOf(report));
      failOn(report.verdict);
    };
    if (inShards) {
      const report = await performShards(prompt, options, given, io);
      if (report !== undefined) {
        await write(report, shardsText);
      }
      return;
    }
    await write(await simulate(prompt, options, { ...io, onProgress: progressPrinter(io, 'simulate') }), runText);
  },
};
