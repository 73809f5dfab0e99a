import { InputError } from '../../errors';
import type { GeneralMask, Range, Sight } from '../mask';
import { StepBudget } from '../pairs/budget';
import type { MaskNode } from '../pairs/node';
import { MaskNodes } from '../pairs/nodes';
import { Rectangles } from '../pairs/rectangles';
import type { PartStarts } from '../parts';
import { predicateOf, type TruthAt } from './evaluate';
import { checkExact } from './exact';
import { cutsOf, maskNodeOf } from './mask-nodes';
import { parseMask } from './parse';
import { stepsOf, type TruthNode } from './syntax';

/** The longest sequence for which a written mask is planned: its tables grow with it, and its budget does not. */
const longestWritten = 131_072;

/** The parts of a mask, and what they say about rectangles. */
interface Parts {
  readonly nodes: MaskNodes;
  readonly root: MaskNode;
  readonly rectangles: Rectangles;
}

/** A mask by its expression over a sequence of N tokens. */
export class ExpressionMask implements GeneralMask {
  readonly allows: TruthAt;
  readonly truth: TruthNode;
  readonly pairSteps: number;
  private found: Parts | undefined;

  /**
   * @param budget that counting and seeing rectangles spends
   * @param starts where the parts of the prompt begin that the expression counts
   * @throws InputError for an expression that cannot be read, hides a token from itself, or is not exact at this length; for
   * a sequence that is too long; once the budget is spent
   */
  constructor(
    private readonly expression: string,
    private readonly tokens: number,
    private readonly budget = new StepBudget(),
    starts: PartStarts = {},
  ) {
    if (tokens > longestWritten) {
      throw new InputError(
        `A custom mask is planned for at most ${longestWritten} tokens and the prompt has ${tokens}; cut it with --max-tokens, or use another scenario.`,
      );
    }
    this.truth = parseMask(expression, starts);
    this.pairSteps = stepsOf(this.truth);
    checkExact(this.truth, tokens, expression);
    this.allows = predicateOf(this.truth, tokens);
    this.budget.spend(tokens * this.pairSteps, this.name, tokens);
    for (let token = 0; token < tokens; token += 1) {
      if (!this.allows(token, token)) {
        throw new InputError(
          `Mask "${expression}" hides the token at q = ${token} from itself, and a token must see something; add "or k == q".`,
        );
      }
    }
  }

  readonly visiblePairs = (): number => this.parts.rectangles.pairs(this.whole, this.whole);

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

  readonly sight = (queries: Range, keys: Range): Sight => this.parts.rectangles.sight(queries, keys);

  /** Whether some query sees a later key. */
  looksAhead(): boolean {
    const { nodes, root } = this.parts;
    const last = this.tokens - 1;
    const later = nodes.join('and', [root, nodes.line('distance', (position) => position < last, 1)]);
    return new Rectangles(nodes, later, cutsOf(this.truth)).sight(this.whole, this.whole) !== 'none';
  }

  private get whole(): Range {
    return { from: 0, to: this.tokens };
  }

  private get name(): string {
    return `Mask "${this.expression}"`;
  }

  /** Made at the first question about a rectangle: questions about pairs need no tables. */
  private get parts(): Parts {
    if (this.found === undefined) {
      const nodes = new MaskNodes(this.tokens, this.budget, this.name);
      const root = maskNodeOf(this.truth, nodes);
      this.found = { nodes, root, rectangles: new Rectangles(nodes, root, cutsOf(this.truth)) };
    }
    return this.found;
  }
}
