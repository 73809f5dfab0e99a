import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { InputError, messageOf } from '../core/errors';
import { formatNumberOf } from '../core/format';
import type { Option } from '../core/options/option';
import { type ExportFormat, exportFormats } from '../core/report/formats';
import type { RunReport } from '../core/report/report';
import { checkReportSize, reportsFrom } from '../engine/read/report/reports';
import { checkWritable, type Given, type Io, writeWhole } from './io';
import { type Command, readGiven, textGiven } from './options';

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
    if (out !== undefined) {
      await checkWritable(out);
    }
    const reports: RunReport[] = [];
    for (const path of paths) {
      reports.push(...reportsFrom(await readReportFile(path, io), path));
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

/** The text of a file of reports, or of standard input where the path is `-`. @throws InputError that names the file */
async function readReportFile(path: string, { stdin }: Io): Promise<string> {
  if (path === '-') {
    const bytes = await buffer(stdin);
    checkReportSize(path, bytes.length);
    return bytes.toString('utf8');
  }
  const found = await stat(path).catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); give a file that simulate --json or compare --json printed.`);
  });
  if (!found.isFile()) {
    throw new InputError(`${path} is not a file; give a file that simulate --json or compare --json printed.`);
  }
  checkReportSize(path, found.size);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); give a file that you may read.`);
  });
}
