import type { z } from 'zod';
import { InputError } from '../../core/errors';
import { formatBytes } from '../../core/format';
import type { RunReport } from '../../core/report/report';
import { comparisonSchema, runReportSchema } from '../read/report/reports';

/** The largest file of reports that is read, in bytes. */
export const maximumReportBytes = 64 * 1024 * 1024;

/**
 * The runs of a file that `simulate --json`, `compare --json` or an export to JSON wrote.
 *
 * @param path named in errors
 * @throws InputError that names the file, the field and the fix
 */
export function reportsFrom(content: string, path: string): RunReport[] {
  const document = parseJson(content, path);
  const documents: readonly unknown[] = Array.isArray(document) ? document : [document];
  const reports = documents.flatMap((each) =>
    isComparison(each) ? read(comparisonSchema, each, path).runs : read(runReportSchema, each, path),
  );
  if (reports.length === 0) {
    throw new InputError(`${path} holds no run; ${fix}.`);
  }
  return reports;
}

/** Refuses a file of reports over the limit, before it is read. @throws InputError that names the size and the limit */
export function checkReportSize(path: string, bytes: number): void {
  if (bytes > maximumReportBytes) {
    throw new InputError(`${path} has ${formatBytes(bytes)}; the limit is ${formatBytes(maximumReportBytes)}: give fewer runs at once.`);
  }
}

/** What is wrong with a document, in one line: the field and why. */
export function firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return `${path.join('.') || 'the document'}: ${message}`;
}

const fix = 'give what simulate --json or compare --json printed';

function isComparison(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'runs' in document;
}

function read<T>(schema: z.ZodType<T>, document: unknown, path: string): T {
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    throw new InputError(`${path}: ${firstIssue(parsed.error)}; ${fix}.`);
  }
  return parsed.data;
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    throw new InputError(`${path} is not JSON; ${fix}.`);
  }
}
