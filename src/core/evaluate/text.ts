import { markdownLines } from '../report/markdown';
import type { ExperimentSummary } from './report';
import { readText, verdictNotes } from './rows';
import { sweepNotes, sweepTable } from './sweep';

/** What an experiment gave as compact Markdown, for a language model. @param file its path, as it was given */
export function experimentText(file: string, summary: ExperimentSummary): string {
  const { points, experiment } = summary;
  return [
    `**${file}**: ${readText(summary).replaceAll('\n', ' ')}`,
    '',
    ...markdownLines({ title: 'Points', ...sweepTable(points) }),
    '',
    ...[...sweepNotes(points), ...verdictNotes(points, experiment).map(({ text }) => `verdict of ${text}`)].map((note) => `- ${note}`),
  ].join('\n');
}
