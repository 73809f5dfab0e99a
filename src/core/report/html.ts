import { atlasPicture } from '../draw/atlas/picture';
import { phasesPicture } from '../draw/phases';
import { qualityCostPicture } from '../draw/quality-cost';
import { escaped } from '../draw/svg';
import { tilePicture } from '../draw/tiles';
import { formatNumberOf, formatRanges } from '../format';
import { headsOf, layerGroups, type LayerScenario, type Scenario, scenarioLabel } from '../scenario/scenario';
import { visible } from '../text/printable';
import { runFigures, runTitle, summaryColumns } from './figures';
import type { RunReport } from './report';

/**
 * The style of an HTML report: light and dark by the reader's system, and by the editor's theme where it is shown in one.
 *
 * Pictures have a light ground of their own.
 */
const reportStyle = `
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --muted: #59636e; --line: #d0d4da; --shade: #f3f4f6; --failed: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #1b1f2a; --ink: #e6e8ec; --muted: #a6afba; --line: #414856; --shade: #262b38; --failed: #ff8a80; } }
body { margin: 0 auto; max-width: 72rem; padding: 1rem 1.5rem 3rem; font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; background: var(--vscode-editor-background, var(--ground)); color: var(--vscode-editor-foreground, var(--ink)); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.scroller { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: start; color: var(--vscode-descriptionForeground, var(--muted)); padding-block-end: 0.4rem; }
th, td { border: 1px solid var(--vscode-editorWidget-border, var(--line)); padding: 0.25rem 0.6rem; text-align: start; vertical-align: top; }
section td { overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { background: var(--vscode-editorWidget-background, var(--shade)); white-space: nowrap; }
.failed > * { color: var(--vscode-errorForeground, var(--failed)); font-weight: 600; }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
figure { margin: 1.2rem 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
@media print { figure, tr { break-inside: avoid; } }
`;

/** No script, no frame, no form, and nothing from anywhere: what the page says is in it. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** Runs as one HTML page with its pictures: it needs no other file, no script and no network. */
export function htmlReport(reports: readonly RunReport[]): string {
  return htmlPage(`Two Heads: ${formatNumberOf(reports.length, 'run')}`, [
    summaryTable(reports),
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
  const points = reports.flatMap(({ scenario, run, quality, verdict }, index) =>
    quality === null
      ? []
      : [
          {
            scenario: scenarioLabel(scenario),
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
