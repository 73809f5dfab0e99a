import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { InputError, messageOf } from '../core/errors';
import { exportFormats, type ExportFormat } from '../core/report/formats';
import { formatNumberOf } from '../core/format';
import { oneOf } from '../core/options/options';
import type { RunReport } from '../core/report/report';
import { checkReportSize, reportsFrom } from '../engine/read/report/reports';
import { checkWritable, writeWhole } from './files';

/** Flags of `two-heads report` as text. */
export interface ReportFlags {
  readonly format?: string;
  readonly out?: string;
}

const formats = exportFormats.map(({ format }) => format);

/** Adds the flags of `two-heads report`. */
export function addReportFlags(command: Command): Command {
  return command
    .option('--format <name>', `what to write: ${formats.join(', ')} (what the ending of --out says, else markdown)`)
    .option('--out <file>', 'write to a file instead of stdout');
}

/** `two-heads report`: runs that `simulate --json` or `compare --json` printed, in another form. */
export async function reportCommand(paths: readonly string[], flags: ReportFlags): Promise<void> {
  const { write } = formatFrom(flags);
  if (flags.out !== undefined) {
    await checkWritable(flags.out);
  }
  const reports: RunReport[] = [];
  for (const path of paths) {
    reports.push(...reportsFrom(await readReportFile(path), path));
  }
  if (flags.out === undefined) {
    process.stdout.write(write(reports));
    return;
  }
  await writeWhole(flags.out, write(reports));
  process.stderr.write(`${formatNumberOf(reports.length, 'run')} written to ${flags.out}\n`);
}

function formatFrom({ format, out }: ReportFlags): ExportFormat {
  const ended = exportFormats.find(({ ending }) => out?.toLowerCase().endsWith(`.${ending}`));
  const name = oneOf('Format', format ?? ended?.format ?? 'markdown', formats);
  return exportFormats.find((known) => known.format === name) ?? exportFormats[0];
}

/** The text of a file of reports, or of standard input where the path is `-`. @throws InputError that names the file */
async function readReportFile(path: string): Promise<string> {
  if (path === '-') {
    const bytes = await buffer(process.stdin);
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
