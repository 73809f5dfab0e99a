import type { Pattern } from '../construct/arrangement';
import type { Arrangement, BlackBoxConstruction } from '../construct/construction';
import { readingsOf } from '../construct/slice';
import { formatNumberOf } from '../format';
import { permutation } from '../math/random';
import { partition } from '../plan/partition';
import { arrangementOf, isSampled, type LayerScenario, maskOf, sampleSeed, scenarioLabel } from '../scenario/scenario';
import { drawCall } from './call';
import { coverageOf } from './coverage';
import { drawPairGrid } from './pair-grid';
import { callColours, callPalette, type Drawing, element, hatchFill, ink, movedTo, page, textAt } from './svg';

/** Which construction is drawn, for which prompt and call size. */
export interface ConstructionPictureRequest {
  /** File name without its ending; a prefix of ids. */
  readonly name: string;
  readonly title: string;
  readonly scenario: LayerScenario;
  readonly construction: BlackBoxConstruction;
  /** N. */
  readonly tokens: number;
  /** M. */
  readonly inputLength: number;
  /** Whether the oracle masks causally by itself. */
  readonly causal: boolean;
  /** The calls whose rows are drawn. */
  readonly calls: readonly ShownCall[];
}

/** A call drawn row by row. */
interface ShownCall {
  /** From 1, in the order of the calls. */
  readonly call: number;
  /** What the picture of the call shows. */
  readonly note: string;
}

/** Largest side of a grid, and of its cells, in pixels. */
const gridSide = 340;
const largestCell = 20;
const gap = 36;

/**
 * A construction as an SVG document: on the left the pairs of queries and keys, each in the colour of the call that reads
 * it; on the right the rows of typical calls. It is drawn from the arrangement that runs, never by hand.
 */
export function constructionPicture(request: ConstructionPictureRequest): string {
  const { name, title, scenario, construction, tokens } = request;
  const arrangement = arrangementOf(scenario, construction, request);
  const { blocks } = partition(tokens, arrangement.blockSize);
  const patterns = Array.from({ length: blocks }, (_, block) => [...arrangement.patternsOf(block)]).flat();
  const caption = captionOf(request, arrangement, patterns.length);
  const coverage = coverageOf(tokens, patterns);
  const colours = callColours(coverage, patterns);
  const shown = request.calls.map(({ call, note }) => ({
    pattern: patterns[call - 1],
    colour: colours[call - 1],
    title: titleOf(request, call, patterns),
    note,
    sinks: sinksOf(scenario),
    name,
  }));
  const grids = columnOrders(request).map(({ columns, columnsTitle }) =>
    drawPairGrid({
      name,
      coverage,
      patterns,
      colours,
      mask: maskOf(scenario, tokens),
      columns,
      columnsTitle,
      cell: Math.min(largestCell, Math.floor(gridSide / tokens)),
    }),
  );
  const legend = drawLegend(
    name,
    legendOf(
      request,
      shown.map(({ pattern }) => pattern),
      patterns,
    ),
  );
  const [ownOrder, ...otherOrders] = grids;
  const left = stacked([ownOrder, legend], gap / 2);
  const right = stacked([...otherOrders, ...shown.map(drawCall)], gap);
  const body = {
    markup: left.markup + movedTo(left.width + gap, 0, right.markup),
    width: left.width + gap + right.width,
    height: Math.max(left.height, right.height),
  };
  const described = [
    `A grid of ${tokens} queries by ${tokens} keys under ${scenarioLabel(scenario)}, with ${formatNumberOf(maskOf(scenario, tokens).visiblePairs(), 'visible pair')}.`,
    isSampled(scenario)
      ? 'Those that are sampled have the colour of the call that reads them.'
      : 'Each has the colour of the one call that reads it.',
    ...shown.map((call) => `${call.title}, row by row: ${call.note}`),
    ...caption,
  ];
  return page({ name, title, description: described.join(' '), body, caption });
}

/** The title of a call; if the proof uses several calls, the pattern's name is used. */
function titleOf({ construction }: ConstructionPictureRequest, call: number, patterns: readonly Pattern[]): string {
  const readings: number = readingsOf[construction].length;
  return readings === 1 ? `Call ${call} of ${patterns.length}` : `Pattern ${call} of ${patterns.length}, ${readings} calls`;
}

/** One drawing below the other. */
function stacked(drawings: readonly Drawing[], between: number): Drawing {
  let height = -between;
  const placed = drawings.map((drawing) => {
    const y = height + between;
    height = y + drawing.height;
    return movedTo(0, y, drawing.markup);
  });
  return { markup: placed.join(''), width: Math.max(0, ...drawings.map(({ width }) => width)), height: Math.max(0, height) };
}

/** The keys in sequence order, and under theorem 4.1 also in the order of its permutation. */
function columnOrders({ scenario, tokens }: ConstructionPictureRequest): { columns: readonly number[]; columnsTitle: string }[] {
  const own = { columns: Array.from({ length: tokens }, (_, key) => key), columnsTitle: 'key' };
  const seed = sampleSeed(scenario);
  return seed === undefined
    ? [own]
    : [own, { columns: [...permutation(tokens, seed)], columnsTitle: 'key, in the order of the permutation' }];
}

function sinksOf(scenario: LayerScenario): number {
  return scenario.kind === 'attention-sink' ? scenario.sinks : 0;
}

function legendOf(
  { scenario, construction }: ConstructionPictureRequest,
  shown: readonly Pattern[],
  all: readonly Pattern[],
): LegendItem[] {
  const subtracts = all.some(({ sign }) => sign === -1);
  const call = readingsOf[construction].length === 1 ? 'call' : 'pattern';
  const items: (LegendItem | false)[] = [
    { kind: 'call', label: `read by the ${call} with this number` },
    isSampled(scenario) && { kind: 'unread', label: 'visible, never read: estimated' },
    subtracts && { kind: 'cancelled', label: `hidden: added by a ${call}, taken away by the next` },
    subtracts && sinksOf(scenario) > 0 && { kind: 'taken', label: 'visible: added twice, taken away once' },
    { kind: 'synthetic', label: 'synthetic token, seen by every query' },
    shown.some(({ causal }) => causal) && { kind: 'masked', label: "hidden by the small transformer's causal mask" },
    shown.some(({ separation }) => (separation?.width ?? 0) > 0) && { kind: 'separated', label: 'hidden by separation columns' },
    sinksOf(scenario) > 0 && { kind: 'sink', label: 'key of a sink' },
  ];
  return items.filter((item) => item !== false);
}

/** The picture's numbers in words: the values of N, M and the other letters, and the number of calls. */
function captionOf(request: ConstructionPictureRequest, arrangement: Arrangement, patterns: number): string[] {
  const { construction } = request;
  const readings: number = readingsOf[construction].length;
  const formula = arrangement.formula.map(({ text }) => text).join(' + ');
  const perPattern = readings === 1 ? 'one call each' : `${readings} calls each (${readingsOf[construction].join(', ')})`;
  return [
    cutOf(request, arrangement),
    `One head of one layer: ${formula} = ${formatNumberOf(patterns, 'pattern')}, ${perPattern}: ${formatNumberOf(patterns * readings, 'call')}.`,
  ];
}

/** The partition of the sequence in words. */
function cutOf(
  { tokens, inputLength, scenario, construction }: ConstructionPictureRequest,
  { blockSize, bands, separation }: Arrangement,
): string {
  const window = windowOf(scenario);
  const sinks = scenario.kind === 'attention-sink' ? `, s = ${scenario.sinks}` : '';
  const given = `N = ${tokens}, M = ${inputLength}${window === undefined ? '' : `, r = ${window}${sinks}`}.`;
  const most = Math.max(0, ...Object.values(separation));
  const columns = most === 0 ? '' : ` Separation columns of a call: ${most} at most.`;
  if (bands !== undefined) {
    const { segment, segments, perCall, pastsPerCall } = bands;
    return `${given} C = ${segments} segments of ${segment} tokens, g = ${perCall} in a call; p = ${pastsPerCall} pasts in a call.${columns}`;
  }
  if (construction === 'paper' && window !== undefined && window < tokens) {
    const queries = inputLength - window;
    return `${given} A call serves M - r = ${queries} queries: ceil(${tokens}/${queries}) = ${Math.ceil(tokens / queries)} chunks.`;
  }
  return `${given} Row 0 is the synthetic token's, so a block has M - 1 = ${inputLength - 1} tokens: T = ceil(${tokens}/${inputLength - 1}) = ${Math.ceil(tokens / blockSize)}.${columns}`;
}

/** r, if the scenario has a window. */
function windowOf(scenario: LayerScenario): number | undefined {
  return 'window' in scenario ? scenario.window : undefined;
}

/** A fill and its meaning. */
interface LegendItem {
  readonly kind: 'call' | 'synthetic' | 'masked' | 'separated' | 'taken' | 'cancelled' | 'unread' | 'sink';
  readonly label: string;
}

const line = 19;
const side = 13;

/** The meanings of the fills, one per line. */
function drawLegend(name: string, items: readonly LegendItem[]): Drawing {
  const lines = items.map(({ kind, label }, index) => movedTo(0, index * line, swatch(name, kind), textAt(side + 9, 11, label)));
  return { markup: element('g', { 'font-size': 11.5 }, ...lines), width: 300, height: items.length * line };
}

function swatch(name: string, kind: LegendItem['kind']): string {
  const square = (fill: string, opacity = 1): string => element('rect', { width: 1, height: 1, fill, 'fill-opacity': opacity });
  const fills: Readonly<Record<LegendItem['kind'], string>> = {
    call: square(callPalette[0]),
    synthetic: square(ink.synthetic),
    masked: square(ink.masked),
    separated: element('path', { d: 'M.3 .3l.4 .4m0-.4l-.4 .4', stroke: ink.muted, 'stroke-width': 0.09 }),
    taken: square(callPalette[0]) + square(hatchFill(name), 0.55),
    cancelled: square(callPalette[0], 0.35) + square(hatchFill(name), 0.55),
    unread: square(ink.unread),
    sink: element('rect', { x: 0.12, y: 0.12, width: 0.76, height: 0.76, rx: 0.1, fill: 'none', stroke: ink.line, 'stroke-width': 0.12 }),
  };
  return (
    element('g', { transform: `scale(${side})` }, fills[kind]) +
    element('rect', { x: 0.5, y: 0.5, width: side - 1, height: side - 1, fill: 'none', stroke: ink.line, 'stroke-opacity': 0.35 })
  );
}
