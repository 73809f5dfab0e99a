import { describe, expect, it } from 'vitest';
import { markColour, type PointMark, shapePaths } from '../../../src/core/draw/point-marks';
import { qualityCostPicture, type QualityCostPoint, type QualityCostRequest } from '../../../src/core/draw/quality-cost';

const mark: PointMark = { hue: 'purple', strength: 0.5, shape: 'triangle', hollow: false };
const windows = [16, 32, 64, 128, 256].map((window, index): QualityCostPoint => {
  const quality = 3 / (index + 1) ** 2;
  return {
    scenario: 'sliding-window',
    mark,
    label: `window ${window}`,
    cost: 40 * window,
    quality,
    interval: { low: 0.8 * quality, high: 1.25 * quality },
  };
});
const baseline: QualityCostPoint = { scenario: 'native', mark, label: 'causal', cost: 65_536, quality: 0 };
/** Dearer and worse than `window 64`. */
const beaten: QualityCostPoint = { scenario: 'average-case', mark, label: 'seed <1>', cost: 3000, quality: 0.5 };
const request: QualityCostRequest = {
  name: 'test',
  title: 'Quality & cost',
  costTitle: 'Attention calls',
  qualityTitle: 'Mean KL, nats',
  qualityScale: 'log',
  points: [baseline, ...windows, beaten],
};

/** The markers in the plot: where they are, what their outline and colour are, and whether they are on the front. */
function markersOf(svg: string): { x: number; y: number; shape: string; fill: string; front: boolean; label: string }[] {
  const plot = svg.slice(0, svg.indexOf('class="legend"'));
  return [
    ...plot.matchAll(
      /translate\(([\d.]+) ([\d.]+)\)"><path class="point( on-front)?(?: failed)?(?: hollow)?" style="[^"]+" d="([^"]+)" fill="([^"]+)"[^>]*><title>([^<]*)</g,
    ),
  ].map((found) => {
    const [, x, y, front, shape, fill, label] = found as (string | undefined)[];
    return { x: Number(x), y: Number(y), front: front !== undefined, shape: shape ?? '', fill: fill ?? '', label: label ?? '' };
  });
}

function labelled(svg: string, label: string): ReturnType<typeof markersOf>[number] {
  const found = markersOf(svg).find((marker) => marker.label === label);
  expect(found, label).toBeDefined();
  return found as ReturnType<typeof markersOf>[number];
}

describe('the picture of quality against cost', () => {
  it.each(['log', 'linear'] as const)('has a marker and a label for every point, by %s quality', (qualityScale) => {
    const svg = qualityCostPicture({ ...request, qualityScale });
    expect(markersOf(svg)).toHaveLength(request.points.length);
    for (const { label } of windows) {
      expect(svg).toContain(`>${label}</text>`);
    }
    expect(svg.match(/class="interval"/g)).toHaveLength(windows.length);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws dearer to the right and worse higher up', () => {
    for (const qualityScale of ['log', 'linear'] as const) {
      const markers = [...windows, baseline].map(({ label }) => labelled(qualityCostPicture({ ...request, qualityScale }), label));
      for (let index = 1; index < markers.length; index += 1) {
        expect(markers[index].x).toBeGreaterThan(markers[index - 1].x);
        expect(markers[index].y).toBeGreaterThan(markers[index - 1].y);
      }
    }
  });

  it('has a logarithmic cost axis: equal ratios are equal ways', () => {
    const svg = qualityCostPicture(request);
    const [one, two, three] = windows.map(({ label }) => labelled(svg, label).x);
    expect(two - one).toBeCloseTo(three - two, 1);
  });

  it('marks the Pareto front and steps along it', () => {
    const svg = qualityCostPicture(request);
    expect(
      markersOf(svg)
        .filter(({ front }) => !front)
        .map(({ label }) => label),
    ).toEqual(['seed &lt;1&gt;']);
    const corners =
      /<polyline class="front" points="([^"]+)"/
        .exec(svg)?.[1]
        .split(' ')
        .map((corner) => corner.split(',').map(Number)) ?? [];
    // Two corners for each of the six points, and the end.
    expect(corners).toHaveLength(13);
    corners.slice(1).forEach(([x, y], index) => {
      expect(x === corners[index][0] || y === corners[index][1], `step ${index}`).toBe(true);
    });
    for (const { label } of windows) {
      const { x, y } = labelled(svg, label);
      expect(
        corners.some(([cornerX, cornerY]) => Math.abs(cornerX - x) < 0.02 && Math.abs(cornerY - y) < 0.02),
        label,
      ).toBe(true);
    }
  });

  it('draws each point by its mark, and a legend of the strongest of each scenario', () => {
    const marks: readonly PointMark[] = [mark, { ...mark, strength: 0.9 }, { hue: 'red', strength: 0.5, shape: 'plus', hollow: false }];
    const points = marks.map((own, index) => ({ ...windows[index], scenario: own.hue, mark: own }));
    const svg = qualityCostPicture({ ...request, points });
    expect(markersOf(svg).map(({ shape, fill }) => [shape, fill])).toEqual(
      marks.map((own) => [shapePaths[own.shape], markColour(own, 'light')]),
    );
    const legend = svg.slice(svg.indexOf('class="legend"'));
    expect([...legend.matchAll(/ fill="(#[0-9a-f]{6})" fill-opacity/g)].map(([, fill]) => fill)).toEqual(
      [marks[1], marks[2]].map((own) => markColour(own, 'light')),
    );
  });

  it('breaks a logarithmic axis for a quality of 0, and only then', () => {
    const broken = qualityCostPicture(request);
    const whole = qualityCostPicture({ ...request, points: windows });
    const tick = />0<\/text>/;
    expect(broken).toMatch(tick);
    expect(whole).not.toMatch(tick);
    expect(labelled(broken, 'causal').y).toBeGreaterThan(labelled(broken, 'window 256').y + 20);
  });

  it('marks what failed, which is not on the front and beats nothing', () => {
    const failed: QualityCostPoint = { ...beaten, label: 'broken', cost: 1, quality: 1e-9, failed: true };
    const svg = qualityCostPicture({ ...request, points: [...windows, failed] });
    expect(labelled(svg, 'broken, FAILED').front).toBe(false);
    expect(markersOf(svg).filter(({ front }) => front)).toHaveLength(windows.length);
    expect(svg).toContain('runs that failed');
  });

  it('names what it cannot draw, and does not draw it', () => {
    const odd: QualityCostPoint[] = [
      { ...beaten, label: 'no quality', quality: NaN },
      { ...beaten, label: 'endless', quality: Infinity },
      { ...beaten, label: 'free', cost: 0 },
    ];
    const svg = qualityCostPicture({ ...request, points: [...windows, ...odd] });
    expect(markersOf(svg)).toHaveLength(windows.length);
    for (const { label } of odd) {
      expect(svg.slice(svg.indexOf('Not drawn'))).toContain(label);
    }
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('keeps an interval that reaches 0 on the axis', () => {
    const svg = qualityCostPicture({
      ...request,
      points: [...windows, { ...beaten, interval: { low: 0, high: 1 } }, { ...beaten, interval: { low: NaN, high: 1 } }],
    });
    expect(svg.match(/class="interval"/g)).toHaveLength(windows.length + 1);
    expect(svg).not.toMatch(/NaN|Infinity/);
    // Windows go down to 0.12: the axis does not follow the interval to 0.
    expect(svg).not.toContain('>0.001</text>');
  });

  it.each([
    ['no point', []],
    ['one point', [windows[0]]],
    ['the baseline alone', [baseline]],
    ['points that are all alike', [windows[0], windows[0]]],
  ])('draws %s', (_, points) => {
    for (const qualityScale of ['log', 'linear'] as const) {
      const svg = qualityCostPicture({ ...request, points, qualityScale });
      expect(markersOf(svg)).toHaveLength(points.length);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it('tells a reader who does not see it what the front is', () => {
    const svg = qualityCostPicture(request);
    expect(svg).toMatch(
      /<title id="test-title">Quality &amp; cost<\/title><desc id="test-description">[^<]*window 16 \(3\)[^<]*causal \(0\)/,
    );
  });

  it('writes costs as it is told', () => {
    expect(qualityCostPicture({ ...request, formatCost: (cost) => `${cost} calls` })).toContain('>1000 calls</text>');
    expect(qualityCostPicture(request)).toContain('>10 k</text>');
  });

  it('keeps labels off one another and off the markers of a crowd', () => {
    const crowd = Array.from({ length: 8 }, (_, index): QualityCostPoint => ({
      scenario: 'crowd',
      mark,
      label: `seed ${index}`,
      cost: 1000 + index,
      quality: 0.1 + 0.001 * index,
    }));
    const svg = qualityCostPicture({ ...request, points: [...windows, ...crowd] });
    const labels = [...(/<g class="labels".*?<\/g>/.exec(svg)?.[0] ?? '').matchAll(/<text x="([\d.]+)" y="([\d.]+)">([^<]+)/g)].map(
      ([, x, y, label]) => ({ x: Number(x), y: Number(y), width: label.length * 6 }),
    );
    expect(labels).toHaveLength(13);
    labels.forEach((one, index) => {
      for (const other of labels.slice(index + 1)) {
        const apart = Math.abs(one.y - other.y) >= 10 || one.x + one.width <= other.x + 1 || other.x + other.width <= one.x + 1;
        expect(apart, JSON.stringify([one, other])).toBe(true);
      }
    });
  });
});
