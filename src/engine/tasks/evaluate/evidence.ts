import * as z from 'zod';
import { InputError } from '../../../core/errors';
import type { Row, Unit } from '../../../core/evaluate/units';
import { said } from '../../../core/l10n';
import { scenarioLabel } from '../../../core/scenario/scenario';
import { shown } from '../../../core/text/printable';
import { jsonOrNothing } from '../../read/input/json';
import { isChanged, isResultOf, resultLine, type Results } from './results';

const anyLine = z.looseObject({});

/**
 * Refuses results that are no evidence of an experiment: lines that are not its own, cannot be read, are out of range, or were
 * changed since they were written.
 *
 * A digest shows what was changed by accident or by hand, not by someone who makes a new one. A last line that a crash cut short
 * is passed over: it is measured again.
 * @param rows of the whole experiment
 * @throws InputError that names the file, the line and what is wrong with it
 */
export async function checkEvidence(results: Results, rows: readonly Row[]): Promise<void> {
  const units = new Map(rows.flatMap((row) => row.units.map((unit) => [unit.id, { row, unit }] as const)));
  for await (const { name, number, text, ended } of results.lines()) {
    if (text.trim() === '') {
      continue;
    }
    const json = jsonOrNothing(text);
    if (json === undefined && !ended) {
      continue;
    }
    const complaint = lineComplaint(json, units, rows);
    if (complaint !== undefined) {
      throw new InputError(
        `${name}: line ${number} ${shown(complaint, 250)}; leave --results out to measure anew, or name results of this experiment alone.`,
      );
    }
  }
}

/** What is wrong with a line, in a clause. */
function lineComplaint(
  json: unknown,
  units: ReadonlyMap<string, { readonly row: Row; readonly unit: Unit }>,
  rows: readonly Row[],
): string | undefined {
  const line = anyLine.safeParse(json);
  const parsed = resultLine.safeParse(json);
  if (!line.success || !parsed.success) {
    const issue = parsed.success ? undefined : parsed.error.issues.at(0);
    return issue === undefined ? said`is no result` : said`is no result (${reasonOf(issue)})`;
  }
  const rest = line.data;
  if (!('digest' in rest)) {
    return said`has no digest: an earlier version wrote it`;
  }
  if (isChanged(rest)) {
    return said`was changed after it was written: its digest is another`;
  }
  const known = units.get(parsed.data.unit);
  if (known === undefined) {
    return foreignReason(rest, rows);
  }
  const { row, unit } = known;
  const expected: Readonly<Record<string, unknown>> = {
    ...row.about,
    scenario: scenarioLabel(unit.job.scenario),
    blockSize: unit.job.blockSize,
  };
  const differing = Object.keys(expected).find((field) => JSON.stringify(rest[field]) !== JSON.stringify(expected[field]));
  if (differing !== undefined) {
    return said`says ${differing} ${JSON.stringify(rest[differing])} of a unit whose ${differing} is ${JSON.stringify(expected[differing])}`;
  }
  return isResultOf(row.scoring, parsed.data.result) ? undefined : said`has other positions than its window`;
}

/** Why a line is of another experiment. */
function foreignReason({ prompt, scenario, blockSize, context }: Readonly<Record<string, unknown>>, rows: readonly Row[]): string {
  const has = (field: string, value: unknown): boolean => value === undefined || rows.some(({ about }) => about[field] === value);
  const jobs = rows.flatMap(({ units }) => units.map(({ job }) => job));
  if (!has('prompt', prompt)) {
    return said`is of another prompt (SHA-256 ${String(prompt).slice(0, 12)})`;
  }
  if (!jobs.some((job) => scenarioLabel(job.scenario) === scenario && job.blockSize === blockSize)) {
    return said`is of ${String(scenario)} with M = ${String(blockSize)}, which this experiment does not measure`;
  }
  return has('context', context)
    ? said`is of other weights, options, scored positions, or another version or device`
    : said`is of windows of ${String(context)} tokens`;
}

/** The innermost reason: a union's own says only that nothing fitted. */
function reasonOf(issue: z.core.$ZodIssue): string {
  const inner = issue.code === 'invalid_union' ? issue.errors.flat().find(({ code }) => code === 'custom') : undefined;
  const { path, message } = inner ?? issue;
  return `${path.join('.') || 'result'}: ${message}`.replaceAll('\n', ' ');
}
