import { formatNumberOf } from '../core/format';
import type { Option } from '../core/options/option';
import { type ExportFormat, exportFormats } from '../core/report/formats';
import type { RunReport } from '../core/report/report';
import { readReports } from '../engine/read/report/reports';
import { type Given, writeWhole } from './io';
import { type Command, readGiven, textGiven } from './options';
import { checkOutputs } from './outputs';

const formatOption: Option = {
  flag: 'format',
  symbol: 'name',
  description: 'What to write (default: what the ending of --out says, else markdown).',
  value: { type: 'choice', noun: 'Format', choices: exportFormats.map(({ format, description }) => ({ value: format, description })) },
};

const outOption: Option = {
  flag: 'out',
  symbol: 'file',
  description: 'Write to a file instead of stdout.',
  value: { type: 'text' },
};

/** `two-heads report`: runs that `simulate --json` or `compare --json` printed, in another form. */
export const reportCommand: Command = {
  usage: 'report <run.json...>',
  description: 'write the runs of JSON files for people, spreadsheets or browsers',
  options: [formatOption, outOption],
  run: async (paths, given, io) => {
    const { write } = formatFrom(given);
    const out = textGiven(outOption, given);
    await checkOutputs([{ flag: '--out', path: out }], { files: paths }, given, io);
    const reports: RunReport[] = [];
    for (const path of paths) {
      reports.push(...(await readReports(path, io.stdin)));
    }
    if (out === undefined) {
      io.stdout.write(write(reports));
      return;
    }
    await writeWhole(out, write(reports));
    io.stderr.write(`${formatNumberOf(reports.length, 'run')} written to ${out}\n`);
  },
};

function formatFrom(given: Given): ExportFormat {
  const out = textGiven(outOption, given)?.toLowerCase();
  const named = readGiven(formatOption, given);
  return (
    exportFormats.find(({ format, ending }) => (named === undefined ? out?.endsWith(`.${ending}`) : format === named)) ??
    exportFormats.find(({ format }) => format === 'markdown') ??
    exportFormats[0]
  );
}
