import { bandOf, isCycle, type Mark, markOf, type Scenario } from '../scenario/scenario';

export type PointShape = Mark['shape'];

/** How one point of an experiment looks in every chart and report: no two points of one experiment have the same mark. */
export interface PointMark {
  /** The family's, of the scenario's kind. */
  readonly hue: Mark['colour'];
  /** From 0, which is nearest to the background, to 1: the wider the window, the stronger. */
  readonly strength: number;
  readonly shape: PointShape;
  /** Only the outline; shapes of lines alone never are. */
  readonly hollow: boolean;
}

/** What a mark is given to; the same one may occur more than once, as in repeated runs. */
export interface MarkedPoint {
  readonly scenario: Scenario;
  readonly blockSize: number;
  /** `fused` where it is not given. */
  readonly construction?: string;
}

/** The outline of each shape as SVG path data, within 6 units of (0, 0). */
export const shapePaths: Readonly<Record<PointShape, string>> = {
  circle: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z',
  square: 'M-4 -4h8v8h-8z',
  triangle: 'M0 -5l5 9h-10z',
  diamond: 'M0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z',
  down: 'M0 5l5 -9h-10z',
  plus: 'M0 -5v10M-5 0h10',
  cross: 'M-4 -4l8 8m0 -8l-8 8',
  star: 'M-4 -4l8 8m0 -8l-8 8M0 -5v10M-5 0h10',
};

/** Hue and saturation of each family: those of Okabe and Ito, which all colour vision tells apart. */
const families: Readonly<Record<Mark['colour'], readonly [hue: number, saturation: number]>> = {
  blue: [202, 100],
  orange: [26, 100],
  purple: [327, 55],
  green: [164, 100],
  red: [0, 65],
  yellow: [50, 95],
  foreground: [0, 0],
};

/** Lightness in percent at strength 0 and 1, on light and on dark grounds: each at least 3 to 1 against its ground. */
const lightness = { light: [44, 18], dark: [58, 86] } as const;

/** The colour of a mark on a light or a dark ground, as `#rrggbb`. */
export function markColour({ hue, strength }: Pick<PointMark, 'hue' | 'strength'>, ground: keyof typeof lightness): string {
  const [angle, saturation] = families[hue];
  const [from, to] = lightness[ground];
  // Yellow and green are lighter than blue at one lightness.
  const toned = ground === 'light' && (hue === 'yellow' || hue === 'green' || hue === 'orange') ? 0.72 : 1;
  const light = (toned * (from + (to - from) * strength)) / 100;
  const reach = (saturation / 100) * Math.min(light, 1 - light);
  // From HSL to RGB, as CSS Color 4 has it; drawings need hexadecimal numbers, which every reader of SVG knows.
  const channel = (offset: number): string => {
    const turn = (offset + angle / 30) % 12;
    const value = light - reach * Math.max(-1, Math.min(turn - 3, 9 - turn, 1));
    return Math.round(255 * value)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

type Look = Pick<PointMark, 'shape' | 'hollow'>;

const outlines = new Set<PointShape>(['plus', 'cross', 'star']);
const shapes = Object.keys(shapePaths) as PointShape[];
/** Every shape, filled and then hollow. */
const looks: readonly Look[] = [
  ...shapes.map((shape) => ({ shape, hollow: false })),
  ...shapes.filter((shape) => !outlines.has(shape)).map((shape) => ({ shape, hollow: true })),
];

/** Windows between which the strength goes from 0 to 1, as powers of two. */
const [narrowest, widest] = [3, 15];

/**
 * A mark for each point: colour by family, strength by window, and a shape that no other point has as long as there are
 * shapes; then one that no point of nearly the same colour has.
 *
 * They depend on the set of points alone, so every chart and report of an experiment has the same. The first of a family
 * has the family's own shape.
 * @param before points that are drawn beside them and keep the marks that they have on their own
 */
export function pointMarks(points: readonly MarkedPoint[], before: readonly MarkedPoint[] = []): readonly PointMark[] {
  const marks = new Map<string, PointMark>();
  const kinds = new Set<string>();
  const taken = new Taken();
  for (const drawn of [before, points]) {
    const sorted = [...new Map(drawn.map((point) => [keyOf(point), point.scenario]))].sort(([one], [other]) => (one < other ? -1 : 1));
    const rest: typeof sorted = [];
    for (const [key, scenario] of sorted.filter(([each]) => !marks.has(each))) {
      if (kinds.has(scenario.kind)) {
        rest.push([key, scenario]);
      } else {
        kinds.add(scenario.kind);
        marks.set(key, taken.next(markOf(scenario.kind), strengthOf(scenario), true));
      }
    }
    for (const [key, scenario] of rest) {
      marks.set(key, taken.next(markOf(scenario.kind), strengthOf(scenario), false));
    }
  }
  return points.map((point) => marks.get(keyOf(point)) as PointMark);
}

function keyOf({ scenario, blockSize, construction = 'fused' }: MarkedPoint): string {
  return `${JSON.stringify(scenario)} ${blockSize} ${construction}`;
}

/** What strengths of one colour and shape are to be apart: as far as can be, and then nearer. */
const distances = [0.2, 0.1, 0.05, 0.02];

/** The marks given away. */
class Taken {
  readonly #looks = new Set<string>();
  /** Strengths by hue and look. */
  readonly #strengths = new Map<string, number[]>();

  /** The next mark. @param first whether it is the first of its family, whose shape may be another family's too */
  next({ colour: hue, shape, hollow = false }: Mark, strength: number, first: boolean): PointMark {
    const start = looks.findIndex((look) => look.shape === shape && look.hollow === hollow);
    const turned = [...looks.slice(start), ...looks.slice(0, start)];
    const unused = first ? undefined : turned.find((look) => !this.#looks.has(lookKey(look)));
    if (unused !== undefined) {
      return this.#take({ hue, strength, ...unused });
    }
    for (const apart of distances) {
      const free = turned.find((look) => this.#isFree({ hue, strength, ...look }, apart));
      if (free !== undefined) {
        return this.#take({ hue, strength, ...free });
      }
    }
    // All shapes are used at this strength: the family goes on at others.
    const nearest = distances[distances.length - 1];
    for (let step = nearest; step < 1; step += nearest) {
      const other = (strength + step) % 1;
      const free = turned.find((look) => this.#isFree({ hue, strength: other, ...look }, nearest));
      if (free !== undefined) {
        return this.#take({ hue, strength: other, ...free });
      }
    }
    return { hue, strength, ...turned[0] };
  }

  #isFree(mark: PointMark, apart: number): boolean {
    const others = this.#strengths.get(`${mark.hue} ${lookKey(mark)}`) ?? [];
    return others.every((other) => Math.abs(other - mark.strength) >= apart - 1e-9);
  }

  #take(mark: PointMark): PointMark {
    const key = `${mark.hue} ${lookKey(mark)}`;
    this.#looks.add(lookKey(mark));
    this.#strengths.set(key, [...(this.#strengths.get(key) ?? []), mark.strength]);
    return mark;
  }
}

function lookKey({ shape, hollow }: Look): string {
  return `${shape} ${hollow}`;
}

/** For each name the mark of its widest window: what the colours mean. */
export function legendMarks(points: readonly { readonly name: string; readonly mark: PointMark }[]): ReadonlyMap<string, PointMark> {
  const found = new Map<string, PointMark>();
  for (const { name, mark } of points) {
    const strongest = found.get(name);
    if (strongest === undefined || strongest.strength < mark.strength) {
      found.set(name, mark);
    }
  }
  return found;
}

/** The widest window of a scenario between the limits; what sees all keys is strongest. */
function strengthOf(scenario: Scenario): number {
  const layers = isCycle(scenario) ? scenario.cycle : [scenario];
  const power = Math.log2(Math.max(...layers.map((layer) => bandOf(layer, 2 ** widest).width)));
  return Math.min(1, Math.max(0, (power - narrowest) / (widest - narrowest)));
}
