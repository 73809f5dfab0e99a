import { formatCount, formatShare } from '../format';
import { markdownLines } from '../report/markdown';
import { runText } from '../report/result-text';
import { scenarioLabel } from '../scenario/scenario';
import { keptLabel } from './oracle-curve';
import type { AtlasReport } from './report';
import { layerTable, oracleTable } from './tables';

/** An atlas as compact Markdown, for a language model. */
export function atlasText(report: AtlasReport): string {
  const { atlas, masked, plan } = report;
  const { oracle, cut } = atlas;
  return [
    runText(report),
    ...oracle.kept.map(
      ({ share, eachBlock, together, calls }) =>
        `- fewest tiles that keep ${keptLabel(share)} of the attention mass: ${formatShare(eachBlock / oracle.tiles)} of those read where every query block keeps it (${formatCount(calls)} attention calls, of ${formatCount(plan.calls.attention)}), ${formatShare(together / oracle.tiles)} together`,
    ),
    ...(cut === null ? [] : [`- ${scenarioLabel(cut.scenario)} cuts off ${formatShare(cut.share)} of the mass`]),
    '',
    ...markdownLines(layerTable(atlas)),
    '',
    ...markdownLines(oracleTable(atlas)),
    ...(masked === null ? [] : ['', runText(masked)]),
  ].join('\n');
}
