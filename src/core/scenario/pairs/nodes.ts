import type { Range, Sight } from '../mask';
import type { StepBudget } from './budget';
import { type Axis, Line, lineLength } from './line';
import { axisBits, type JoinNode, type LineNode, linesOf, type MaskNode, type PairTruth } from './node';

/** A node along one axis. */
export interface Along {
  readonly axis: Axis;
  /** Its lines of the axis. */
  readonly lines: readonly Line[];
  /** The node that is left by the values of these lines, as far as it was asked for. */
  readonly left: Map<number, MaskNode>;
}

/** Lines whose values fit into one whole number. */
const mostBits = 30;

/** Steps that an entry of a table counts for: little time, but memory that is kept. */
const stepsPerEntry = 8;
/** Steps of looking for a node that exists, or else of making it. */
const stepsPerNode = 20;

/** The nodes of one mask over N tokens: makes each of them once, and narrows them to rectangles. */
export class MaskNodes {
  readonly all: MaskNode = { kind: 'all', id: 0, axes: 0, steps: 1 };
  readonly none: MaskNode = { kind: 'none', id: 1, axes: 0, steps: 1 };
  private made = 2;
  private readonly known = new Map<string, MaskNode>();
  /** By the ids of both. */
  private readonly joinsOfTwo = { and: new Map<number, MaskNode>(), or: new Map<number, MaskNode>() };
  private readonly alongs = new Map<number, Along>();

  /** @param what names the mask in an error */
  constructor(
    readonly tokens: number,
    private readonly budget: StepBudget,
    private readonly what: string,
  ) {}

  /** Counts work that is about to be done. @throws InputError if the plan's budget is spent */
  spend(steps: number): void {
    this.budget.spend(steps, this.what, this.tokens);
  }

  /** A truth by the position on an axis. @param steps of one call of `valueAt` */
  line(axis: Axis, valueAt: (position: number) => boolean, steps: number): MaskNode {
    this.spend(lineLength(axis, this.tokens) * (stepsPerEntry + steps));
    const line = new Line(axis, this.tokens, valueAt);
    const whole = line.over(0, line.length);
    return whole === 'some' ? { kind: 'line', id: this.nextId(), axes: axisBits[axis], steps: 1, line } : this[whole];
  }

  pair(truth: PairTruth): MaskNode {
    return { ...truth, kind: 'pair', id: this.nextId(), axes: axisBits.pair };
  }

  /** Nodes joined by `and` or `or`; lines of one axis become one line. */
  join(kind: JoinNode['kind'], nodes: readonly MaskNode[]): MaskNode {
    const [decisive, neutral] = kind === 'and' ? [this.none, this.all] : [this.all, this.none];
    const parts = this.withLinesJoined(
      kind,
      nodes.flatMap((node) => (node.kind === kind ? node.parts : [node])),
    ).filter((node) => node !== neutral);
    if (parts.length < 2 || parts.includes(decisive)) {
      return parts.includes(decisive) ? decisive : (parts.at(0) ?? neutral);
    }
    parts.sort((one, other) => one.steps - other.steps || one.id - other.id);
    return this.once(`${kind} ${parts.map(({ id }) => id).join(' ')}`, () => ({
      kind,
      id: this.nextId(),
      axes: parts.reduce((axes, part) => axes | part.axes, 0),
      steps: parts.reduce((sum, { steps }) => sum + steps, 1),
      parts,
    }));
  }

  /** A node as it is over a rectangle: parts that are decided there are gone. */
  narrow(node: MaskNode, queries: Range, keys: Range): MaskNode {
    switch (node.kind) {
      case 'all':
      case 'none':
        return node;
      case 'line':
        return this.decided(node, node.line.sight(queries, keys));
      case 'pair':
        return this.decided(node, node.bound(queries, keys));
      default:
        return this.rejoined(node, (part) => this.narrow(part, queries, keys));
    }
  }

  /** A node along an axis. */
  along(node: MaskNode, axis: Axis): Along {
    const key = 16 * node.id + axisBits[axis];
    let along = this.alongs.get(key);
    if (along === undefined) {
      this.spend(stepsPerNode + node.steps);
      along = { axis, lines: linesOf(node, axis), left: new Map() };
      this.alongs.set(key, along);
    }
    return along;
  }

  /** A node as it is at one position of an axis: its lines of that axis are gone. */
  leftAt(node: MaskNode, { axis, lines, left }: Along, position: number): MaskNode {
    let values = 0;
    for (const line of lines) {
      values = 2 * values + (line.at(position) ? 1 : 0);
    }
    const known = lines.length > mostBits ? undefined : left.get(values);
    if (known !== undefined) {
      return known;
    }
    this.spend(node.steps);
    const found = this.fixed(node, axis, position);
    if (lines.length <= mostBits) {
      left.set(values, found);
    }
    return found;
  }

  private fixed(node: MaskNode, axis: Axis, position: number): MaskNode {
    if ((node.axes & axisBits[axis]) === 0) {
      return node;
    }
    switch (node.kind) {
      case 'line':
        return node.line.at(position) ? this.all : this.none;
      case 'and':
      case 'or':
        return this.rejoined(node, (part) => this.fixed(part, axis, position));
      default:
        return node;
    }
  }

  private decided(node: MaskNode, sight: Sight): MaskNode {
    return sight === 'some' ? node : sight === 'all' ? this.all : this.none;
  }

  /** A join with changed parts; without anything new if none changes, which is usual. */
  private rejoined(node: JoinNode, change: (part: MaskNode) => MaskNode): MaskNode {
    const decisive = node.kind === 'and' ? this.none : this.all;
    const neutral = node.kind === 'and' ? this.all : this.none;
    let isChanged = false;
    // Rectangle after rectangle, one or two parts are left: no list is made for them.
    let one: MaskNode | undefined;
    let other: MaskNode | undefined;
    let kept: MaskNode[] | undefined;
    for (const part of node.parts) {
      const changed = change(part);
      if (changed === decisive) {
        return decisive;
      }
      isChanged ||= changed !== part;
      if (changed === neutral) {
        continue;
      }
      if (one === undefined) {
        one = changed;
      } else if (other === undefined) {
        other = changed;
      } else {
        kept ??= [one, other];
        kept.push(changed);
      }
    }
    if (!isChanged) {
      return node;
    }
    if (one === undefined || other === undefined) {
      return one ?? neutral;
    }
    return kept === undefined ? this.joinOfTwo(node.kind, one, other) : this.joinOfMore(node.kind, kept);
  }

  private joinOfTwo(kind: JoinNode['kind'], one: MaskNode, other: MaskNode): MaskNode {
    const known = this.joinsOfTwo[kind];
    const key = one.id * 2 ** 26 + other.id;
    let found = known.get(key);
    if (found === undefined) {
      this.spend(stepsPerNode);
      found = this.join(kind, [one, other]);
      known.set(key, found);
    }
    return found;
  }

  private joinOfMore(kind: JoinNode['kind'], nodes: readonly MaskNode[]): MaskNode {
    this.spend(stepsPerNode * nodes.length);
    return this.join(kind, nodes);
  }

  /** Lines of one axis joined into one, in place of the first. */
  private withLinesJoined(kind: JoinNode['kind'], nodes: readonly MaskNode[]): MaskNode[] {
    const parts: MaskNode[] = [];
    for (const node of nodes) {
      const like = node.kind === 'line' ? parts.findIndex((part) => part.kind === 'line' && part.axes === node.axes) : -1;
      const other = parts[like];
      if (node.kind === 'line' && like >= 0 && other.kind === 'line') {
        parts[like] = this.joinedLine(kind, other, node);
      } else if (!parts.includes(node)) {
        parts.push(node);
      }
    }
    return parts;
  }

  private joinedLine(kind: JoinNode['kind'], one: LineNode, other: LineNode): MaskNode {
    const key = `${kind} ${[one.id, other.id].sort((a, b) => a - b).join(' ')}`;
    const { axis } = one.line;
    const value =
      kind === 'and'
        ? (position: number): boolean => one.line.at(position) && other.line.at(position)
        : (position: number): boolean => one.line.at(position) || other.line.at(position);
    return one === other ? one : this.once(key, () => this.line(axis, value, 1));
  }

  private once(key: string, make: () => MaskNode): MaskNode {
    const known = this.known.get(key);
    if (known !== undefined) {
      return known;
    }
    const node = make();
    this.known.set(key, node);
    return node;
  }

  private nextId(): number {
    return this.made++;
  }
}
