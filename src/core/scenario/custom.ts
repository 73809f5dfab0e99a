import { InputError } from '../errors';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import { boundTruth } from './expression/bounds';
import { predicateOf, type TruthAt } from './expression/evaluate';
import { parseMask } from './expression/parse';
import { mentions, type TruthNode } from './expression/syntax';
import type { GeneralMask, Range, Sight } from './mask';

/** A mask written by the user, as an expression in the positions of query and key. */
export interface CustomScenario {
  readonly kind: 'custom';
  /** Such as `k <= q and q - k < 64`; see `expression/parse.ts`. */
  readonly expression: string;
}

/**
 * The longest sequence for which a custom mask is planned: its form is unknown, so some pairs must be evaluated one by one.
 */
const longestCustom = 131_072;

/** Most pairs that planning may evaluate: about a second of work. */
const mostPairs = 40_000_000;

/** Rectangles with at most this side are evaluated pair by pair instead of divided further. */
const smallSide = 8;

/** The scenario of a mask by expression. */
export const custom: ScenarioDefinition<CustomScenario> = {
  kind: 'custom',
  title: text('Custom'),
  description: text('A token q sees the tokens k for which your expression holds.'),
  parameters: [],
  text: {
    name: 'expression',
    flag: 'mask',
    symbol: 'expression',
    title: text('Mask'),
    description: text(
      'When query q sees key k, of n tokens: + - * // %, comparisons, and, or, not, abs, min, max. A token must see itself.',
    ),
    default: 'k <= q and (q - k < 256 or k % 64 == 0)',
    check: parseMask,
  },
  mark: { colour: 'foreground', shape: 'ring' },
  written: true,
  mask: ({ expression }, tokens) => new ExpressionMask(expression, tokens),
  looksAhead: ({ expression }, tokens) => {
    const mask = new ExpressionMask(expression, tokens);
    // Blocks above the diagonal, halved until each is decided.
    const ahead = (from: number, to: number): boolean => {
      const middle = Math.floor((from + to) / 2);
      return (
        to - from > 1 && (mask.sight({ from, to: middle }, { from: middle, to }) !== 'none' || ahead(from, middle) || ahead(middle, to))
      );
    };
    return ahead(0, tokens);
  },
  dependsOnLength: ({ expression }) => mentions(parseMask(expression), 'n'),
  complaint: ({ expression }) => {
    parseMask(expression);
    return undefined;
  },
  bound: (_scenario, _blockSize, blocks) => ({ theorem: 'Theorem 3.4, any mask', formula: 'T^2', tiles: blocks * blocks }),
  arrangement: (_scenario, { construction }) => {
    throw new InputError(
      `A custom mask has no arrangement under construction ${construction}, which lays out the masks of the paper; use construction fused.`,
    );
  },
};

/**
 * A mask by its expression over a sequence of N tokens.
 *
 * Rectangles of pairs are decided by interval arithmetic if possible, otherwise halved, down to single pairs: the work
 * grows with the length of the mask's edges, and with N^2 for a mask that is all edges, such as `(q - k) % 3 == 0`.
 */
class ExpressionMask implements GeneralMask {
  readonly allows: TruthAt;
  private readonly node: TruthNode;
  private looked = 0;

  constructor(
    private readonly expression: string,
    private readonly tokens: number,
  ) {
    if (tokens > longestCustom) {
      throw new InputError(
        `A custom mask is planned for at most ${longestCustom} tokens and the prompt has ${tokens}; cut it with --max-tokens, or use another scenario.`,
      );
    }
    this.node = parseMask(expression);
    this.allows = predicateOf(this.node, tokens);
    for (let token = 0; token < tokens; token += 1) {
      if (!this.allows(token, token)) {
        throw new InputError(`Mask "${expression}" hides token ${token} from itself, and a token must see something; add "or k == q".`);
      }
    }
  }

  readonly visiblePairs = (): number => this.count({ from: 0, to: this.tokens }, { from: 0, to: this.tokens });

  readonly ranges = (query: number): readonly Range[] => {
    const ranges: { from: number; to: number }[] = [];
    for (let key = 0; key < this.tokens; key += 1) {
      const last = ranges.at(-1);
      if (!this.allows(query, key)) {
        continue;
      }
      if (last?.to === key) {
        last.to = key + 1;
      } else {
        ranges.push({ from: key, to: key + 1 });
      }
    }
    return ranges;
  };

  readonly sight = (queries: Range, keys: Range): Sight => {
    const bound = this.bound(queries, keys);
    if (bound !== 'some') {
      return bound;
    }
    if (isSmall(queries, keys)) {
      const visible = this.look(queries, keys);
      return visible === 0 ? 'none' : visible === sizeOf(queries) * sizeOf(keys) ? 'all' : 'some';
    }
    let found: Sight | undefined;
    for (const [rows, columns] of halves(queries, keys)) {
      const part = this.sight(rows, columns);
      if (part === 'some' || (found !== undefined && found !== part)) {
        return 'some';
      }
      found = part;
    }
    return found ?? 'none';
  };

  private count(queries: Range, keys: Range): number {
    const bound = this.bound(queries, keys);
    if (bound !== 'some') {
      return bound === 'all' ? sizeOf(queries) * sizeOf(keys) : 0;
    }
    return isSmall(queries, keys)
      ? this.look(queries, keys)
      : halves(queries, keys).reduce((sum, [rows, columns]) => sum + this.count(rows, columns), 0);
  }

  private bound(queries: Range, keys: Range): Sight {
    return boundTruth(
      this.node,
      { query: { low: queries.from, high: queries.to - 1 }, key: { low: keys.from, high: keys.to - 1 } },
      this.tokens,
    );
  }

  /** Visible pairs of a rectangle, one by one. @throws InputError if planning has evaluated too many */
  private look(queries: Range, keys: Range): number {
    this.looked += sizeOf(queries) * sizeOf(keys);
    if (this.looked > mostPairs) {
      throw new InputError(
        `Mask "${this.expression}" is too finely broken for ${this.tokens} tokens: planning it would look at more than ${mostPairs} pairs; cut the prompt with --max-tokens, or write a mask with longer edges.`,
      );
    }
    let visible = 0;
    for (let query = queries.from; query < queries.to; query += 1) {
      for (let key = keys.from; key < keys.to; key += 1) {
        visible += this.allows(query, key) ? 1 : 0;
      }
    }
    return visible;
  }
}

function sizeOf({ from, to }: Range): number {
  return to - from;
}

function isSmall(queries: Range, keys: Range): boolean {
  return sizeOf(queries) <= smallSide && sizeOf(keys) <= smallSide;
}

/** A rectangle, cut across its longer side. */
function halves(queries: Range, keys: Range): readonly (readonly [queries: Range, keys: Range])[] {
  const cut = ({ from, to }: Range): readonly [Range, Range] => {
    const middle = Math.floor((from + to) / 2);
    return [
      { from, to: middle },
      { from: middle, to },
    ];
  };
  return sizeOf(queries) > sizeOf(keys)
    ? cut(queries).map((rows) => [rows, keys] as const)
    : cut(keys).map((columns) => [queries, columns] as const);
}
