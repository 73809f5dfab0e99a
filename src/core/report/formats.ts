import { formatNumberOf } from '../format';
import { t } from '../l10n';
import { visible } from '../text/printable';
import { csvReport } from './csv';
import { runFigures, runTitle, summaryColumns } from './figures';
import { htmlReport } from './html';
import { toJson } from './json';
import type { RunReport } from './report';

/** Runs as Markdown: a table of all, and a section for each. */
export function markdownReport(reports: readonly RunReport[]): string {
  const header = ['Run', ...summaryColumns.map(({ title }) => title)];
  const rule = ['---', ...summaryColumns.map(({ numeric }) => (numeric ? '---:' : '---'))];
  const rows = reports.map((report, index) => [String(index + 1), ...summaryColumns.map(({ of }) => markdownText(of(report)))]);
  const sections = reports.map((report, index) => `## ${markdownText(runTitle(report, index))}\n\n${markdownFigures(report)}`);
  return `${['# Two Heads: ' + formatNumberOf(reports.length, 'run'), [header, rule, ...rows].map(row).join('\n'), ...sections].join('\n\n')}\n`;
}

/** One run's figures as a Markdown table. */
export function markdownFigures(report: RunReport): string {
  return markdownPairs(['Figure', 'Value'], runFigures(report));
}

/** Names and what they are as a Markdown table. */
export function markdownPairs(header: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  return [header, ['---', '---'], ...rows.map((pair) => pair.map(markdownText))].map(row).join('\n');
}

/**
 * Text that Markdown shows as it is, in a paragraph, a heading or a cell: no mark-up, no HTML, no link, one line.
 *
 * GitHub makes links of bare addresses too, so what those begin with is escaped as well.
 */
export function markdownText(text: string): string {
  return visible(text).replace(/[\\`*_[\]<>&|~#@]|(?<=:)\/(?=\/)|(?<=www)\./gi, '\\$&');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** How runs can be written: a name, what a menu says of it in the editor's language, the ending of a file, and the file's content. */
export const exportFormats = [
  {
    format: 'html',
    title: 'HTML',
    get description(): string {
      return t('A page with pictures that needs no other file');
    },
    ending: 'html',
    write: htmlReport,
  },
  {
    format: 'markdown',
    title: 'Markdown',
    get description(): string {
      return t('A table, and a section for each run');
    },
    ending: 'md',
    write: markdownReport,
  },
  {
    format: 'csv',
    title: 'CSV',
    get description(): string {
      return t('A row of numbers for each run');
    },
    ending: 'csv',
    write: csvReport,
  },
  {
    format: 'json',
    title: 'JSON',
    get description(): string {
      return t('The reports whole, as two-heads report reads them');
    },
    ending: 'json',
    write: jsonReport,
  },
] as const;

export type ExportFormat = (typeof exportFormats)[number];

/** Runs as a JSON array of their reports, each with its `schemaVersion`. */
export function jsonReport(reports: readonly RunReport[]): string {
  return `${toJson(reports, 2)}\n`;
}
