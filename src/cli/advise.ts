import { type AdviseOptions, adviseTable } from '../core/advise/options';
import type { AdviceReport } from '../core/advise/report';
import { adviceHead, adviceSummary, adviceTable, answerLines } from '../core/advise/text';
import { advicePicture } from '../core/draw/advice';
import { briefExperiment } from '../core/evaluate/brief';
import type { Option } from '../core/options/option';
import { failOn, verdictText } from '../core/report/verdict';
import { readPrompt } from '../engine/read/prompt';
import { advise } from '../engine/tasks/advise/advise';
import { saveOption, writeExperiment } from './evaluate';
import { jsonOption, print, progressPrinter, writeWhole } from './io';
import { type Command, textGiven, valuesOf } from './options';
import { checkOutputs } from './outputs';
import { pictureOption } from './run';
import { sourceFrom, sourceOptions } from './source';
import { table } from './table';

/** `two-heads advise`: the cheapest masks that keep a model's predictions within a limit. */
export const adviseCommand: Command = {
  usage: 'advise <file>',
  description: 'the cheapest mask for each layer that keeps the mean KL divergence within a limit, run and confirmed',
  options: [...Object.values<Option>(adviseTable), ...sourceOptions, jsonOption, saveOption, pictureOption],
  instead: {
    scenario: 'it finds the masks itself; leave it out, or measure one with two-heads evaluate',
    construction: 'masks are exact under each; leave it out',
    out: `use --${saveOption.flag} for the experiment file that repeats it`,
  },
  run: async ([file], given, io) => {
    const options: AdviseOptions = valuesOf(adviseTable, given);
    const save = textGiven(saveOption, given);
    const picture = textGiven(pictureOption, given);
    const outputs = [
      { flag: `--${saveOption.flag}`, path: save },
      { flag: `--${pictureOption.flag}`, path: picture },
    ];
    await checkOutputs(outputs, { files: [file], model: options.model }, given, io);
    const prompt = await readPrompt(file, io.stdin, await sourceFrom(given));
    const report = await advise(prompt, options, { ...io, onProgress: progressPrinter(io, 'advise') });
    if (save !== undefined) {
      await writeExperiment(save, report.experiment, io);
      io.stderr.write(`experiment written to ${save}\n`);
    }
    if (picture !== undefined && report.tried.length === 0) {
      io.stderr.write(`no picture written to ${picture}: no mask was measured\n`);
    } else if (picture !== undefined) {
      await writeWhole(picture, advicePicture(report), `--${pictureOption.flag}`);
      io.stderr.write(`picture written to ${picture}\n`);
    }
    print(io, given, report, () => adviceLines(report, save));
    failOn(report.verdict);
  },
};

/** An advice as a person reads it, with the experiment file unless that was written. */
function adviceLines(report: AdviceReport, save: string | undefined): string {
  const { title, header, rows } = adviceTable(report);
  return [
    adviceHead(report),
    ...answerLines(report).map((line) => `  ${line}`),
    '',
    adviceSummary(report),
    `Verdict: ${verdictText(report.verdict)}`,
    ...(rows.length === 0 ? [] : ['', `${title}:`, table(header, rows)]),
    ...(save === undefined && report.answer !== null
      ? ['', `An experiment file that repeats it (--${saveOption.flag} writes it):`, briefExperiment(report.experiment)]
      : []),
  ].join('\n');
}
