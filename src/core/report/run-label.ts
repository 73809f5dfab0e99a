import { fileName, formatDuration, formatError, formatNumberOf, recentTime } from '../format';
import { t } from '../l10n';
import { scenarioLabel } from '../scenario/scenario';
import type { RunReport } from './report';
import { verdictName } from './verdict';

/** A run in a list: its scenario and when it was. */
export function runLabel({ scenario, environment }: RunReport, now = new Date()): string {
  return `${scenarioLabel(scenario)}, ${recentTime(environment.date, now)}`;
}

/** What a run in a list came to. */
export function runDescription({ run, fidelity, verdict }: RunReport): string {
  return [
    ...(verdict.kind === 'failed' ? [verdictName(verdict.kind)] : []),
    formatNumberOf(run.calls.total, 'call'),
    formatDuration(run.wallMs),
    ...(fidelity === null ? [] : [t('error {0}', formatError(fidelity.maxAbsError))]),
  ].join(' · ');
}

/** The same for whoever hears it, with the prompt that a sighted reader sees above. */
export function runSpoken(report: RunReport, now = new Date()): string {
  return t('{0}, {1}, of {2}', runLabel(report, now), runDescription(report).replaceAll(' · ', ', '), fileName(report.prompt.path));
}

/** Runs of one prompt. */
export interface PromptRuns<Run> {
  readonly path: string;
  /** In the order in which they were given. */
  readonly runs: readonly Run[];
}

/** Runs by their prompt. @param runs newest first: so are the prompts then, by their newest run */
export function byPrompt<Run extends { readonly report: RunReport }>(runs: readonly Run[]): PromptRuns<Run>[] {
  const paths = [...new Set(runs.map(({ report }) => report.prompt.path))];
  return paths.map((path) => ({ path, runs: runs.filter(({ report }) => report.prompt.path === path) }));
}
