import { paretoFront } from '../math/pareto';
import { legendMarks, markColour, type PointMark, shapePaths } from './point-marks';
import { around, type Axis, type Box, linearAxis, logAxis, placeLabel, plain, plainOrCompact } from './plot';
import { type Drawing, element, escaped, ink, movedTo, page, textAt } from './svg';

/** One run: its cost and its quality. */
export interface QualityCostPoint {
  /** Names its group in the legend. */
  readonly scenario: string;
  readonly mark: PointMark;
  /** Short label beside the marker: `window 64`. */
  readonly label: string;
  /** Above 0, in the unit of `costTitle`. */
  readonly cost: number;
  /** Lower is better, such as a mean divergence in nats or a perplexity. */
  readonly quality: number;
  /** Its 95% confidence interval. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** Whether its run failed: it is drawn as such, is not on the front, and beats nothing. */
  readonly failed?: boolean;
}

/** The data of a quality-cost picture. */
export interface QualityCostRequest {
  /** Prefix of the ids in it: a file name without its ending. */
  readonly name: string;
  readonly title: string;
  /** Title of x, with its unit. */
  readonly costTitle: string;
  /** Title of y, with its unit. */
  readonly qualityTitle: string;
  /** On a logarithmic y, values of 0 or below are drawn on a separate line, below a break in the axis. */
  readonly qualityScale: 'linear' | 'log';
  readonly points: readonly QualityCostPoint[];
  /** The most that quality may be: a line across. */
  readonly limit?: { readonly quality: number; readonly label: string };
  /** A sentence of the caption on what the intervals rest on. */
  readonly intervalNote?: string;
  /** Formats numbers of the cost axis; by default `formatCompact`, and plain below 1,000. */
  readonly formatCost?: (cost: number) => string;
}

interface Placed {
  readonly point: QualityCostPoint;
  readonly x: number;
  readonly y: number;
  readonly front: boolean;
  /** Whether its interval leaves open if it is on the front. */
  readonly tie: boolean;
}

const width = 770;
/** The plot, in pixels of the body. */
const plot: Box = { x: 72, y: 24, width: width - 72 - 14, height: 360 };
const bottom = plot.y + plot.height;
/** Distance of the line of zeros, and of the axis break above it, from the plot's bottom. */
const zeroLine = 16;
const breakHeight = 46;
const labelSize = 11;
const labelHeight = 13;

/**
 * Quality against cost, lower is better for both: a marker per point, and the Pareto front as a stepped line.
 *
 * Points whose cost is not above 0, and numbers that are not finite, cannot be drawn; the caption names them.
 */
export function qualityCostPicture(request: QualityCostRequest): string {
  const { name, title, costTitle, qualityTitle } = request;
  const points = request.points.map((point) => (point.failed === true ? { ...point, label: `${point.label}, FAILED` } : point));
  const drawable = points.filter(({ cost, quality }) => cost > 0 && Number.isFinite(cost) && Number.isFinite(quality));
  const front = paretoFront(drawable, ({ cost, quality, interval, failed }) => [
    cost,
    failed === true ? undefined : interval ? { value: quality, ...interval } : quality,
  ]);
  const [x, y] = [costAxis(drawable, request.formatCost ?? plainOrCompact), qualityAxis(drawable, request)];
  const placed = drawable.map((point, index): Placed => {
    const { onFront, isTie } = front[index];
    return { point, x: x.at(point.cost), y: y.at(point.quality), front: onFront, tie: isTie };
  });
  const scenarios = legendMarks(points.map(({ scenario, mark }) => ({ name: scenario, mark })));
  const legend = drawLegend(scenarios);
  const markup = [
    drawAxes(x, y, request),
    drawFront(placed),
    drawLimit(request, y),
    ...placed.map((each) => drawInterval(each, y)),
    // The front is drawn last, so that nothing hides it.
    ...placed
      .toSorted((one, other) => Number(one.front) - Number(other.front))
      .map((each) => movedTo(each.x, each.y, marker({ ...each, ...each.point }))),
    drawLabels(placed, y, request),
    movedTo(plot.x, bottom + 60, legend.markup),
  ];
  const best = placed.filter((each) => each.front).sort((one, other) => one.x - other.x);
  const missing = points.filter((point) => !drawable.includes(point)).map(({ scenario, label }) => `${scenario}, ${label}`);
  const caption = [
    `Both axes: the less the better. Bold markers and the line: the Pareto front, which no other point beats in both.${new Set(points.map(({ mark }) => mark.strength)).size > 1 ? ' The stronger a colour, the wider the window.' : ''}${points.some(({ interval }) => interval) ? ' Bars: 95% confidence intervals.' : ''}${request.intervalNote === undefined ? '' : ` ${request.intervalNote}`}`,
    ...(placed.some(({ tie }) => tie)
      ? ['Broken outlines: a tie, since intervals that overlap leave open whether the point belongs to the front.']
      : []),
    ...(placed.some(({ point: { failed } }) => failed) ? ['Struck through: runs that failed, whose quality means nothing.'] : []),
    ...(missing.length > 0 ? [`Not drawn, for want of a finite quality and a cost above 0: ${missing.join('; ')}.`] : []),
  ];
  const description = `${qualityTitle} against ${costTitle}: ${placed.length} points of ${scenarios.size} scenarios. ${best.length === 0 ? 'None is on the Pareto front.' : `On the Pareto front, by cost: ${best.map(({ point: { scenario, label, quality }, tie }) => `${scenario}, ${label} (${plain(quality)})${tie ? ', a tie' : ''}`).join('; ')}.`}`;
  return page({ name, title, description, body: { markup: markup.join(''), width, height: bottom + 60 + legend.height }, caption });
}

function costAxis(points: readonly QualityCostPoint[], format: (cost: number) => string): Axis {
  return logAxis(
    points.map(({ cost }) => cost),
    plot.x,
    plot.x + plot.width,
    format,
  );
}

function qualityAxis(
  points: readonly QualityCostPoint[],
  { qualityScale: scale, limit }: Pick<QualityCostRequest, 'qualityScale' | 'limit'>,
): Axis {
  // An interval that reaches almost 0 must not stretch a logarithmic axis: it is cut off.
  const lowest = (quality: number, low: number): number => (scale === 'log' ? Math.max(low, quality / 10) : low);
  const values = points
    .flatMap(({ quality, interval }) => [quality, ...(interval ? [lowest(quality, interval.low), interval.high] : [])])
    .concat(limit === undefined ? [] : [limit.quality])
    .filter(Number.isFinite);
  if (scale === 'linear') {
    return linearAxis(values, bottom, plot.y);
  }
  const positive = values.filter((value) => value > 0);
  const broken = points.some(({ quality }) => quality <= 0);
  const axis = logAxis(positive, broken ? bottom - breakHeight : bottom, plot.y, plainOrCompact);
  const zero = bottom - (broken ? zeroLine : 0);
  return {
    at: (value) => (value > 0 ? Math.min(axis.at(value), bottom) : zero),
    ticks: [...(broken ? [{ at: zero, label: '0' }] : []), ...axis.ticks],
  };
}

function drawAxes(x: Axis, y: Axis, { costTitle, qualityTitle, qualityScale }: QualityCostRequest): string {
  const right = plot.x + plot.width;
  const broken = qualityScale === 'log' && y.ticks.some(({ label }) => label === '0');
  const grid = [
    ...x.ticks.map(({ at }) => `M${fixed(at)} ${plot.y}V${bottom}`),
    ...y.ticks.map(({ at }) => `M${plot.x} ${fixed(at)}H${right}`),
  ];
  const sign = element('path', { d: `M${plot.x - 6} ${bottom - 30}l12 -5m-12 -2l12 -5`, stroke: ink.line, 'stroke-width': 1.4 });
  return [
    element('path', { d: grid.join(''), stroke: ink.masked }),
    element('path', { d: `M${plot.x} ${plot.y}V${bottom}H${right}`, stroke: ink.line, fill: 'none' }),
    broken ? sign : '',
    element(
      'g',
      { 'font-size': 11, 'text-anchor': 'middle', fill: ink.muted },
      ...x.ticks.map(({ at, label }) => textAt(at, bottom + 17, label)),
    ),
    element(
      'g',
      { 'font-size': 11, 'text-anchor': 'end', fill: ink.muted },
      ...y.ticks.map(({ at, label }) => textAt(plot.x - 9, at + 4, label)),
    ),
    textAt(plot.x + plot.width / 2, bottom + 38, `${costTitle} (logarithmic)`, { 'font-size': 12.5, 'text-anchor': 'middle' }),
    textAt(0, 8, qualityScale === 'log' ? `${qualityTitle} (logarithmic)` : qualityTitle, { 'font-size': 12.5 }),
  ].join('');
}

/** Corners of the best quality within each cost: down at each point of the front, horizontal up to the next. */
function frontCorners(placed: readonly Placed[]): (readonly [x: number, y: number])[] {
  const steps = placed.filter(({ front }) => front).sort((one, other) => one.x - other.x);
  const corners = steps.flatMap(({ x, y }, index) => [[x, index === 0 ? plot.y : steps[index - 1].y] as const, [x, y] as const]);
  return [...corners, ...corners.slice(-1).map(([, y]) => [plot.x + plot.width, y] as const)];
}

function drawFront(placed: readonly Placed[]): string {
  const points = frontCorners(placed)
    .map(([x, y]) => `${fixed(x)},${fixed(y)}`)
    .join(' ');
  return points === ''
    ? ''
    : element('polyline', { class: 'front', points, fill: 'none', stroke: ink.line, 'stroke-width': 1.4, 'stroke-dasharray': '5 3' });
}

/** The most that quality may be, as a line across with its label at the left end. */
function drawLimit({ limit }: Pick<QualityCostRequest, 'limit'>, { at }: Axis): string {
  if (limit === undefined) {
    return '';
  }
  const { label, box } = limitLabel(limit, at(limit.quality));
  return (
    element('path', {
      class: 'limit',
      d: `M${plot.x} ${fixed(at(limit.quality))}H${plot.x + plot.width}`,
      stroke: ink.muted,
      'stroke-width': 1.2,
    }) + textAt(box.x, box.y + 10, label, { 'font-size': labelSize, fill: ink.muted })
  );
}

function limitLabel({ label }: NonNullable<QualityCostRequest['limit']>, y: number): { readonly label: string; readonly box: Box } {
  return { label, box: { x: plot.x + 6, y: y - labelHeight - 2, width: textWidth(label, labelSize), height: labelHeight } };
}

/** The part of the confidence interval that lies on the axis. */
function drawInterval({ point: { interval }, x }: Placed, { at }: Axis): string {
  if (!isDrawn(interval)) {
    return '';
  }
  const cap = (y: number): string => `M${fixed(x - 4)} ${fixed(y)}h8`;
  const [low, high] = [at(interval.low), at(interval.high)];
  return element('path', { class: 'interval', d: `M${fixed(x)} ${fixed(low)}V${fixed(high)}${cap(low)}${cap(high)}`, stroke: ink.muted });
}

function isDrawn(interval: QualityCostPoint['interval']): interval is NonNullable<QualityCostPoint['interval']> {
  return interval !== undefined && Number.isFinite(interval.low) && Number.isFinite(interval.high);
}

/** A point's marker: bold on the front, pale otherwise, with a broken outline where intervals leave that open, struck through where it failed. */
function marker({
  mark,
  front,
  tie,
  failed,
  label,
}: Pick<Placed, 'front' | 'tie'> & Pick<QualityCostPoint, 'mark' | 'failed' | 'label'>): string {
  const colour = markColour(mark, 'light');
  return (
    element(
      'path',
      {
        class: `point${front ? ' on-front' : ''}${tie ? ' tie' : ''}${failed === true ? ' failed' : ''}${mark.hollow ? ' hollow' : ''}`,
        // For pages that follow their reader's theme.
        style: `--on-dark:${markColour(mark, 'dark')}`,
        d: shapePaths[mark.shape],
        fill: mark.hollow ? ink.paper : colour,
        'fill-opacity': front || mark.hollow ? 1 : 0.25,
        stroke: colour,
        'stroke-width': front ? 2 : 1,
        ...(tie && { 'stroke-dasharray': '2 1.5' }),
      },
      element('title', {}, escaped(label)),
    ) + (failed === true ? element('path', { d: 'M-8 5L8 -5', stroke: ink.text, 'stroke-width': 1.4 }) : '')
  );
}

/** Labels every point where the label covers the least, with a line to it if it is far away. */
function drawLabels(placed: readonly Placed[], { at }: Axis, { limit }: Pick<QualityCostRequest, 'limit'>): string {
  const corners = frontCorners(placed);
  const lines = [
    ...placed.flatMap(({ point: { interval }, x }) => (isDrawn(interval) ? [around([x, at(interval.low)], [x, at(interval.high)])] : [])),
    ...corners.slice(1).map((corner, index) => around(corners[index], corner)),
    ...(limit === undefined ? [] : [around([plot.x, at(limit.quality)], [plot.x + plot.width, at(limit.quality)])]),
  ];
  const taken: Box[] = [
    ...placed.map(({ x, y }) => ({ x: x - 7, y: y - 7, width: 14, height: 14 })),
    ...(limit === undefined ? [] : [limitLabel(limit, at(limit.quality)).box]),
  ];
  const drawn = placed.map(({ point: { label }, x, y }) => {
    const box = placeLabel(x, y, { width: textWidth(label, labelSize), height: labelHeight }, { plot, lines, taken });
    taken.push(box);
    const [nearX, nearY] = [Math.min(Math.max(x, box.x), box.x + box.width), Math.min(Math.max(y, box.y + 3), box.y + box.height - 2)];
    const lead =
      Math.hypot(nearX - x, nearY - y) > 18
        ? element('path', { d: `M${fixed(x)} ${fixed(y)}L${fixed(nearX)} ${fixed(nearY)}`, stroke: ink.muted, 'stroke-width': 0.6 })
        : '';
    return lead + textAt(box.x, box.y + 10, label);
  });
  return element(
    'g',
    { class: 'labels', 'font-size': labelSize, stroke: ink.paper, 'stroke-width': 3, 'stroke-linejoin': 'round', 'paint-order': 'stroke' },
    ...drawn,
  );
}

/** The scenarios with their markers, in rows. */
function drawLegend(scenarios: ReadonlyMap<string, PointMark>): Drawing {
  let [x, y] = [0, 0];
  const items = [...scenarios].map(([scenario, mark]) => {
    const wide = textWidth(scenario, 11.5) + 34;
    if (x > 0 && x + wide > plot.width) {
      [x, y] = [0, y + 20];
    }
    const item = movedTo(x, y, movedTo(6, 6, marker({ mark, front: true, tie: false, label: scenario })), textAt(18, 10, scenario));
    x += wide;
    return item;
  });
  return { markup: element('g', { class: 'legend', 'font-size': 11.5 }, ...items), width: plot.width, height: y + 14 };
}

/** An upper estimate of a text's width in pixels, because fonts differ. */
function textWidth(content: string, size: number): number {
  return content.length * size * 0.55;
}

/** A coordinate for path data, in hundredths of a pixel. */
function fixed(value: number): number {
  return Math.round(value * 100) / 100;
}
