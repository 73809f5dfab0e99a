import { formatNumberOf } from '../format';
import type { RunReport } from '../report/report';
import { visible } from '../text';
import { runFigures, runTitle, summaryColumns } from '../report/figures';

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
  return [['Figure', 'Value'], ['---', '---'], ...runFigures(report).map((figure) => figure.map(markdownText))].map(row).join('\n');
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
