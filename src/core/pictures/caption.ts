import type { Arrangement } from '../construct/construction';
import { readingsOf } from '../construct/slice';
import { formatNumberOf } from '../format';
import type { LayerScenario } from '../scenario/scenario';
import type { ConstructionPictureRequest } from '../draw/construction';

/** The numbers of a picture in words: what N, M and the rest come to, and the calls, counted. */
export function captionOf(request: ConstructionPictureRequest, arrangement: Arrangement, patterns: number): string[] {
  const { construction } = request;
  const readings: number = readingsOf[construction].length;
  const formula = arrangement.formula.map(({ text }) => text).join(' + ');
  const perPattern = readings === 1 ? 'one call each' : `${readings} calls each (${readingsOf[construction].join(', ')})`;
  return [
    cutOf(request, arrangement),
    `One head of one layer: ${formula} = ${formatNumberOf(patterns, 'pattern')}, ${perPattern}: ${formatNumberOf(patterns * readings, 'call')}.`,
  ];
}

/** How the sequence is cut. */
function cutOf(
  { tokens, inputLength, scenario, construction }: ConstructionPictureRequest,
  { blockSize, chunks, rows }: Arrangement,
): string {
  const window = windowOf(scenario);
  if (window === undefined || window >= tokens) {
    return `N = ${tokens}, M = ${inputLength}. Row 0 is the synthetic token's, so a block has M - 1 = ${inputLength - 1} tokens: T = ceil(${tokens}/${inputLength - 1}) = ${Math.ceil(tokens / blockSize)}.`;
  }
  const sinks = scenario.kind === 'attention-sink' ? `, s = ${scenario.sinks}` : '';
  const given = `N = ${tokens}, M = ${inputLength}, r = ${window}${sinks}.`;
  if (construction === 'paper') {
    const queries = inputLength - window;
    return `${given} A call serves M - r = ${queries} queries: ceil(${tokens}/${queries}) = ${Math.ceil(tokens / queries)} chunks.`;
  }
  const rowsUsed = rows < inputLength ? `, on ${rows} of its ${inputLength} rows` : '';
  return `${given} C = ceil(N/r) = ${Math.ceil(tokens / window)} chunks of ${window} tokens, p = ${chunks} of them in a call${rowsUsed}.`;
}

/** r, where the scenario has one. */
function windowOf(scenario: LayerScenario): number | undefined {
  return 'window' in scenario ? scenario.window : undefined;
}
