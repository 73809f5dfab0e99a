import type { TextTable } from './html';

/** A table as lines of Markdown, under its title. Labels of written masks have pipes, which are no ends of cells. */
export function markdownLines({ title, header, rows }: TextTable): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [`${title}:`, '', row(header), row(header.map(() => '---')), ...rows.map(row)];
}
