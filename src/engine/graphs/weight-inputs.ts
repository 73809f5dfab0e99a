import type { WeightShapes } from '../read/model/weights';
import type { GraphBuilder, Value } from '../attend/onnx/graph-builder';

/** Weights as values of a graph, by name; absent where the architecture has none of that name. */
export type WeightValues<Name extends string> = Readonly<Partial<Record<Name, Value>>>;

/** An input of a graph for every weight, named like it. */
export function weightInputs<Name extends string>(g: GraphBuilder, shapes: WeightShapes<Name>): WeightValues<Name> {
  const entries = Object.entries(shapes as Readonly<Record<string, readonly number[]>>);
  return Object.fromEntries(entries.map(([name, shape]) => [name, g.input(name, shape)])) as WeightValues<Name>;
}

/** The value of a weight that no architecture does without. */
export function required<Name extends string>(values: WeightValues<Name>, name: Name): Value {
  const value = values[name];
  if (value === undefined) {
    throw new RangeError(`A layer needs ${name}.`);
  }
  return value;
}

/** `x W^T`, and a bias where there is one: weights stay in the `[out, in]` layout of a checkpoint. */
export function affine<Name extends string>(g: GraphBuilder, x: Value, values: WeightValues<Name>, weight: Name, bias: Name): Value {
  return g.linear(x, required(values, weight), values[bias]);
}
