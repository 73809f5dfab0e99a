import type { Cuts } from '../pairs/cuts';
import type { MaskNode } from '../pairs/node';
import type { MaskNodes } from '../pairs/nodes';
import { dependenceOf, type Dependence, type PlainTruth, withoutNot } from './axes';
import { comparisonBound } from './bounds';
import { predicateOf } from './evaluate';
import { edgesOf, stepsOf, type NumberNode, type TruthNode } from './syntax';

/** An expression as a node of a mask, by what its parts depend on. */
export function maskNodeOf(node: TruthNode, nodes: MaskNodes): MaskNode {
  return convert(withoutNot(node), nodes);
}

function convert(node: PlainTruth, nodes: MaskNodes): MaskNode {
  const { tokens } = nodes;
  if (node.kind === 'constant') {
    return node.value ? nodes.all : nodes.none;
  }
  const dependence = dependenceOf(node, tokens);
  if (dependence !== 'both') {
    return ofOneAxis(node, dependence, nodes);
  }
  if (node.kind === 'comparison') {
    return nodes.pair({
      holds: predicateOf(node, tokens),
      bound: comparisonBound(node, tokens),
      steps: stepsOf(node),
    });
  }
  const { kind } = node;
  // Parts of one axis are one part, however they are mixed with others: one table instead of several.
  const joined = new Map<Dependence, PlainTruth>();
  const others: PlainTruth[] = [];
  for (const part of partsOf(node, kind)) {
    const own = dependenceOf(part, tokens);
    if (own === 'both') {
      others.push(part);
    } else {
      const before = joined.get(own);
      joined.set(own, before === undefined ? part : { kind, left: before, right: part });
    }
  }
  return nodes.join(
    kind,
    [...joined.values(), ...others].map((part) => convert(part, nodes)),
  );
}

/** A node by its values along an axis: any pair at a position stands for all of them. */
function ofOneAxis(node: TruthNode, axis: Exclude<Dependence, 'both'>, nodes: MaskNodes): MaskNode {
  const allows = predicateOf(node, nodes.tokens);
  const steps = stepsOf(node);
  switch (axis) {
    case 'nothing':
      return allows(0, 0) ? nodes.all : nodes.none;
    case 'query':
      return nodes.line(axis, (query) => allows(query, 0), steps);
    case 'key':
      return nodes.line(axis, (key) => allows(0, key), steps);
    case 'distance': {
      const last = nodes.tokens - 1;
      return nodes.line(axis, (position) => (position < last ? allows(0, last - position) : allows(position - last, 0)), steps);
    }
  }
}

function partsOf(node: PlainTruth, kind: 'and' | 'or'): readonly PlainTruth[] {
  return node.kind === kind ? [...partsOf(node.left, kind), ...partsOf(node.right, kind)] : [node];
}

/** Where rectangles are best cut under an expression: between the blocks of its smallest divisor of `//`, and between parts. */
export function cutsOf(node: TruthNode): Cuts {
  return { grain: Math.min(...divisorsOf(node).filter((divisor) => divisor > 1), Infinity), edges: edgesOf(node) };
}

function divisorsOf(node: TruthNode | NumberNode): readonly number[] {
  switch (node.kind) {
    case 'literal':
    case 'constant':
    case 'variable':
      return [];
    case 'call':
      return node.operands.flatMap(divisorsOf);
    case 'not':
    case 'part':
      return divisorsOf(node.operand);
    case 'arithmetic':
      return [
        ...divisorsOf(node.left),
        ...divisorsOf(node.right),
        ...(node.operator === '//' && node.right.kind === 'literal' ? [node.right.value] : []),
      ];
    default:
      return [...divisorsOf(node.left), ...divisorsOf(node.right)];
  }
}
