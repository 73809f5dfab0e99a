import { arrangementOf, type BlackBoxConstruction } from '../construct/construction';
import type { Pattern } from '../construct/arrangement';
import { readingsOf } from '../construct/slice';
import { formatNumberOf } from '../format';
import { maskDefinition, maskOf, scenarioLabel, type LayerScenario } from '../scenario/scenario';
import { partition } from '../plan/partition';
import { permutation } from '../math/random';
import { drawCall } from './call';
import { captionOf } from '../pictures/caption';
import { coverageOf } from './coverage';
import { drawLegend, type LegendItem } from '../pictures/legend';
import { page, type Drawing } from './svg';
import { drawPairGrid } from './pair-grid';
import { callColours } from '../pictures/palette';
import { movedTo } from '../pictures/svg';

/** Which construction is drawn, on what. */
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

/** A call that is drawn row by row. */
export interface ShownCall {
  /** From 1, in the order of the calls. */
  readonly call: number;
  /** What there is to see in it. */
  readonly note: string;
}

/** Largest side of a grid in pixels, and of its cells. */
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
    maskDefinition(scenario.kind).sampled
      ? 'Those that are sampled have the colour of the call that reads them.'
      : 'Each has the colour of the one call that reads it.',
    ...shown.map((call) => `${call.title}, row by row: ${call.note}`),
    ...caption,
  ];
  return page({ name, title, description: described.join(' '), body, caption });
}

/** The title of a call; what the proof does in several calls is named by its pattern. */
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

/** The keys in their own order, and under theorem 4.1 in the order of its permutation as well. */
function columnOrders({ scenario, tokens }: ConstructionPictureRequest): { columns: readonly number[]; columnsTitle: string }[] {
  const own = { columns: Array.from({ length: tokens }, (_, key) => key), columnsTitle: 'key' };
  return scenario.kind === 'average-case'
    ? [own, { columns: [...permutation(tokens, scenario.seed)], columnsTitle: 'key, in the order of the permutation' }]
    : [own];
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
    maskDefinition(scenario.kind).sampled && { kind: 'unread', label: 'visible, never read: estimated' },
    subtracts && { kind: 'cancelled', label: `hidden: added by a ${call}, taken away by the next` },
    subtracts && sinksOf(scenario) > 0 && { kind: 'taken', label: 'visible: added twice, taken away once' },
    { kind: 'synthetic', label: 'synthetic token, seen by every query' },
    shown.some(({ causal }) => causal) && { kind: 'masked', label: "hidden by the small transformer's causal mask" },
    shown.some(({ chunks }) => chunks !== undefined) && { kind: 'separated', label: 'another slot: hidden by the separation vectors' },
    sinksOf(scenario) > 0 && { kind: 'sink', label: 'key of a sink' },
  ];
  return items.filter((item) => item !== false);
}
