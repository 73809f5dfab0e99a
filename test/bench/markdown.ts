import type { Environment } from '../../src/core/report/report';
import type { Figure, Section } from './section';

/** The benchmark as Markdown: the machine, the goals, and a table per section. @param mostRows beyond which it is left to the JSON document */
export function markdownOf(sections: readonly Section[], environment: Environment, threads: number, mostRows = 24): string {
  const { cpu, cores, memoryBytes, platform, node, onnxruntime, twoHeads, date } = environment;
  const goals = sections.flatMap((section) => section.goals);
  return [
    `Measured on ${date.slice(0, 10)}: ${cpu}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, ${platform}; ${threads} threads; Node ${node}, ONNX Runtime ${onnxruntime}, Two Heads ${twoHeads}.`,
    ...(goals.length === 0
      ? []
      : [
          table(
            { goal: 'goal', measured: 'measured', reached: 'reached' },
            goals.map((goal) => ({ ...goal, reached: goal.reached ? 'yes' : '**no**' })),
          ),
        ]),
    ...sections.flatMap((section) => {
      const { title, method, columns, rows, cross } = section;
      const long = rows.length > mostRows;
      return [
        `## ${title}`,
        method,
        ...(cross === undefined ? [] : [`Cells: ${cross.figures.map((figure) => columns[figure]).join(' / ')}.`, crossed(section, cross)]),
        ...(cross === undefined && !long ? [table(columns, rows)] : []),
        ...(long ? [`${rows.length} points, in the JSON document.`] : []),
      ];
    }),
  ].join('\n\n');
}

/** A table in Markdown: its columns' headings, and rows by the columns' names. */
export function table(columns: Readonly<Record<string, string>>, rows: readonly Readonly<Record<string, Figure>>[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const names = Object.keys(columns);
  return [
    line(Object.values(columns)),
    line(names.map((name) => (rows.every((row) => typeof row[name] === 'number') ? '---:' : '---'))),
    ...rows.map((row) => line(names.map((name) => cell(row[name])))),
  ].join('\n');
}

function crossed({ columns, rows }: Section, { down, across, figures }: NonNullable<Section['cross']>): string {
  const values = (name: string): string[] => [...new Set(rows.map((row) => String(row[name])))];
  return table(
    { [down]: columns[down], ...Object.fromEntries(values(across).map((value) => [value, value])) },
    values(down).map((value) => {
      const own = rows.filter((row) => row[down] === value);
      return {
        [down]: value,
        ...Object.fromEntries(own.map((row) => [row[across], figures.map((figure) => cell(row[figure])).join(' / ')])),
      };
    }),
  );
}

/** A number with three figures, or as it is where it is whole. */
function cell(figure: Figure): string {
  if (typeof figure === 'string') {
    return figure;
  }
  if (Number.isInteger(figure)) {
    return figure.toLocaleString('en-US');
  }
  return Math.abs(figure) < 1e-3 ? figure.toExponential(1) : Number(figure.toPrecision(3)).toLocaleString('en-US');
}
