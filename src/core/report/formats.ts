import { t } from '../l10n';
import type { RunReport } from './report';
import { csvReport } from './csv';
import { htmlReport } from './html';
import { markdownReport } from '../export/markdown';

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
  return `${JSON.stringify(reports, null, 2)}\n`;
}
