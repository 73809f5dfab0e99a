import { atlasPicture } from '../draw/atlas/picture';
import { phasesPicture } from '../draw/phases';
import { pointMarks } from '../draw/point-marks';
import { qualityCostPicture } from '../draw/quality-cost';
import { escaped, ink } from '../draw/svg';
import { tilePicture } from '../draw/tiles';
import { formatNumberOf, formatRanges } from '../format';
import { markedRun } from '../lab/frontier';
import { headsOf, layerGroups, type LayerScenario, type Scenario, scenarioLabel } from '../scenario/scenario';
import { visible } from '../text/printable';
import { runFigures, runTitle, summaryColumns } from './figures';
import type { RunReport } from './report';

/**
 * The style of an HTML report: light and dark by the reader's system, and by the editor's theme where it is shown in one.
 *
 * Pictures are drawn for paper: on a dark page their ground, text and lines change, and points have their colours for dark
 * grounds. What is drawn over filled areas, such as hatching, stays.
 */
const recoloured = (
  [
    ['paper', 'ground'],
    ['frame', 'line'],
    ['text', 'ink'],
    ['muted', 'muted'],
    ['line', 'ink'],
    ['masked', 'shade'],
  ] as const
).map(
  ([drawn, own]) =>
    `:is(svg, svg *)[fill="${ink[drawn]}"]:not(pattern *) { fill: var(--${own}); }
svg [stroke="${ink[drawn]}"]:not(pattern *) { stroke: var(--${own}); }`,
);
const reportStyle = `
:root { color-scheme: light dark; ${groundColours('#ffffff', '#1f2328', '#59636e', '#d0d4da', '#f3f4f6', '#b3261e')} }
@media (prefers-color-scheme: dark) {
:root { ${groundColours('#1b1f2a', '#e6e8ec', '#a6afba', '#414856', '#262b38', '#ff8a80')} }
${onDark('body:not(.vscode-light, .vscode-high-contrast-light)')}
}
${onDark('body:is(.vscode-dark, .vscode-high-contrast:not(.vscode-high-contrast-light))')}
body { margin: 0 auto; max-width: 72rem; padding: 1rem 1.5rem 3rem; font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; background: var(--ground); color: var(--ink); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.scroller { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: start; color: var(--muted); padding-block-end: 0.4rem; }
th, td { border: 1px solid var(--line); padding: 0.25rem 0.6rem; text-align: start; vertical-align: top; }
section td { overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { background: var(--shade); white-space: nowrap; }
.failed > * { color: var(--failed); font-weight: 600; }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
figure { margin: 1.2rem 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
${recoloured.join('\n')}
@media print { figure, tr { break-inside: avoid; } }
`;

/** Points in their colours for dark grounds. */
function onDark(body: string): string {
  return `${body} .point { stroke: var(--on-dark); } ${body} .point:not(.hollow) { fill: var(--on-dark); }`;
}

/** The page's own colours; the editor's where the page is shown in one. */
function groundColours(ground: string, foreground: string, muted: string, line: string, shade: string, failed: string): string {
  const editor = (name: string, own: string): string => `var(--vscode-${name}, ${own})`;
  return `--ground: ${editor('editor-background', ground)}; --ink: ${editor('editor-foreground', foreground)}; --muted: ${editor('descriptionForeground', muted)}; --line: ${editor('editorWidget-border', line)}; --shade: ${editor('editorWidget-background', shade)}; --failed: ${editor('errorForeground', failed)};`;
}

/** No script, no frame, no form, and nothing from anywhere: what the page says is in it. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** Runs as one HTML page with its pictures: it needs no other file, no script and no network. @param notes on all of them, plain text */
export function htmlReport(reports: readonly RunReport[], notes: readonly string[] = []): string {
  return htmlPage(`Two Heads: ${formatNumberOf(reports.length, 'run')}`, [
    summaryTable(reports),
    ...notes.map(paragraph),
    ...picturesOf(reports),
    ...reports.map(section),
  ]);
}

/** A page of its own in the style of reports. @param title plain text @param parts markup, below the title */
export function htmlPage(title: string, parts: readonly string[]): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>${text(title)}</h1>
${parts.join('\n')}
</main>
</body>
</html>
`;
}

function summaryTable(reports: readonly RunReport[]): string {
  const head = summaryColumns.map(({ title, numeric }) => `<th scope="col"${classOf(numeric)}>${text(title)}</th>`).join('');
  const rows = reports.map((report, index) => {
    const cells = summaryColumns.map(({ of, numeric }) => `<td${classOf(numeric)}>${text(of(report))}</td>`).join('');
    return `<tr${failedClass(report)}><th scope="row"><a href="#run-${index + 1}">${index + 1}</a></th>${cells}</tr>`;
  });
  return scroller(
    'All runs',
    `<table>\n<caption>All runs</caption>\n<thead><tr><th scope="col">Run</th>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`,
  );
}

/** One run: its figures and its tiles. */
function section(report: RunReport, index: number): string {
  const title = text(runTitle(report, index));
  const rows = runFigures(report).map(
    ([name, value]) => `<tr${name === 'Verdict' ? failedClass(report) : ''}><th scope="row">${text(name)}</th><td>${text(value)}</td></tr>`,
  );
  const { prompt, plan, scenario, model } = report;
  const drawn = { tokens: prompt.tokens, blockSize: plan.blockSize };
  const name = `run-${index + 1}-tiles`;
  const pictures = drawnApart(scenario, model.shape.heads).map(({ own, heads }, kind) =>
    tilePicture({
      ...drawn,
      name: kind === 0 ? name : `${name}-${kind + 1}`,
      title: `Tiles of run ${index + 1}${heads === undefined ? '' : `, heads ${formatRanges(heads)}`}`,
      scenario: own,
    }),
  );
  if (report.atlas !== undefined) {
    pictures.push(atlasPicture({ ...report, atlas: report.atlas }, `run-${index + 1}-atlas`));
  }
  return `<section id="run-${index + 1}">\n<h2>${title}</h2>\n${scroller(title, `<table>\n<caption>Figures</caption>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`)}\n${pictures.map(figure).join('\n')}\n</section>`;
}

/** Pictures of the heads of one run at most: a report from elsewhere may have a thousand kinds. */
const mostKinds = 8;

/** What is drawn of a run: heads that see alike apart from others, where they are of a few kinds. */
function drawnApart(scenario: Scenario, count: number): { readonly own: Scenario; readonly heads?: readonly number[] }[] {
  const kinds =
    scenario.kind !== 'per-head'
      ? []
      : layerGroups(scenario, 1)
          .map(({ scenario: own, share }): { own: LayerScenario; heads: readonly number[] } => ({ own, heads: headsOf(share, count) }))
          .filter(({ heads }) => heads.length > 0);
  return kinds.length === 0 || kinds.length > mostKinds ? [{ own: scenario }] : kinds;
}

/** What runs must have in common for their quality to compare, by name. */
const comparedBy: readonly (readonly [name: string, of: (report: RunReport) => unknown])[] = [
  ['model', ({ model }) => [model.name, model.shape, model.parameters, model.storedBytes ?? null]],
  ['prompt', ({ prompt }) => prompt.sha256],
  ['number of tokens', ({ prompt }) => prompt.tokens],
  ['scored positions', ({ quality }) => quality?.score ?? 'all'],
  ['baseline', ({ quality }) => [quality?.baseline, quality?.baselineBy ?? 'own']],
];

/** The pictures of all runs together; quality against cost only where one front over all of them means something. */
function picturesOf(reports: readonly RunReport[]): string[] {
  const labelled = reports.map((report, index) => ({ label: visible(runTitle(report, index).replace(/^Run /, '')), run: report.run }));
  const marks = pointMarks(reports.map(markedRun));
  const points = reports.flatMap(({ scenario, run, quality, verdict }, index) =>
    quality === null
      ? []
      : [
          {
            scenario: scenarioLabel(scenario),
            mark: marks[index],
            label: `run ${index + 1}${quality.ownBaseline === true ? ', its own baseline' : ''}`,
            cost: run.calls.total,
            quality: quality.meanKl,
            failed: verdict.kind === 'failed',
          },
        ],
  );
  const comparable = points.filter(({ quality }) => Number.isFinite(quality));
  const scored = reports.filter(({ quality }) => quality !== null);
  const differing = comparedBy.filter(([, of]) => new Set(scored.map((report) => JSON.stringify(of(report)))).size > 1);
  return [
    figure(phasesPicture({ name: 'phases', title: 'Where the time went', runs: labelled })),
    ...(comparable.length < 2
      ? []
      : differing.length > 0
        ? [
            `<p>There is no picture of quality against cost, since these runs do not compare. They differ in ${differing.map(([name]) => name).join(', ')}.</p>`,
          ]
        : [
            figure(
              qualityCostPicture({
                name: 'quality-cost',
                title: 'Quality against cost',
                costTitle: 'Calls of the small transformer',
                qualityTitle: 'Mean KL divergence from the model’s own attention, nats',
                qualityScale: 'log',
                points,
              }),
            ),
          ]),
  ];
}

/** Rows of text under a header, the first cell of each a name. */
export interface TextTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A table in a page, under its title. @param numeric whether all but names are figures */
export function titledTable({ title, header, rows }: TextTable, numeric = false): string {
  const head = header.map((name, column) => `<th scope="col"${classOf(numeric && column > 0)}>${text(name)}</th>`).join('');
  const body = rows.map(
    ([first, ...rest]) =>
      `<tr><th scope="row">${text(first)}</th>${rest.map((cell) => `<td${classOf(numeric)}>${text(cell)}</td>`).join('')}</tr>`,
  );
  return `<h2>${text(title)}</h2>\n${scroller(text(title), `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`)}`;
}

/** A paragraph of a page. */
export function paragraph(content: string): string {
  return `<p>${text(content)}</p>`;
}

/** A picture in a page. */
export function figure(svg: string): string {
  return `<figure>\n${svg}</figure>`;
}

/** A wide table scrolls in itself, by the keyboard too. @param label escaped already where it is text out of a file */
export function scroller(label: string, table: string): string {
  return `<div class="scroller" role="region" tabindex="0" aria-label="${label}">\n${table}\n</div>`;
}

/** Red where the run failed. */
function failedClass({ verdict }: RunReport): string {
  return verdict.kind === 'failed' ? ' class="failed"' : '';
}

function classOf(numeric: boolean): string {
  return numeric ? ' class="number"' : '';
}

/** Text of a page: escaped, with what nobody sees in it made visible. */
export function text(content: string): string {
  return escaped(visible(content));
}
