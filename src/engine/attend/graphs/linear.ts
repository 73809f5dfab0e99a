import { mostUnpackedBytes } from '../../../core/predict/memory';
import type { PackedMatrix } from '../../read/model/packed';
import type { Activations } from '../../../core/options/table';
import { elementsOf, type Weight, type WeightShapes, type Weights } from '../../read/model/weights';
import type { GraphBuilder, Value } from '../onnx/graph-builder';
import { runtimeDomain } from '../onnx/operators';
import { type Device, hasRuntimeOperators } from '../runtime/provider';

/** A matrix in a graph that is integer codes: no tensor has its values. */
interface PackedValue extends Value {
  readonly packed: Pick<PackedMatrix, 'shape' | 'block'>;
  /** Its rows from first to last, some at a time. */
  readonly parts: readonly PackedRows[];
  readonly activations: Activations;
  /** `[rows, columns / block]`. */
  readonly minima: Value | undefined;
}

/** Consecutive rows of a matrix. */
interface PackedRows {
  readonly rows: number;
  /** Products whose sum is that by `scale (code - zero)`: the operands of `MatMulNBits` after x, and the bits of its codes. */
  readonly products: readonly { readonly operands: readonly Value[]; readonly bits: 4 | 8 }[];
}

/** Weights as values of a graph, by name; absent if the architecture does not have them. */
export type WeightValues<Name extends string> = Readonly<Partial<Record<Name, Value>>>;

/** How a graph multiplies by packed weights: with which activations, and whether one row at a time. */
interface PackedProducts {
  readonly activations: Activations;
  readonly oneRow: boolean;
  /** Bytes in float32 of the largest matrix that is multiplied as one. */
  readonly unpackedAtOnce?: number;
}

/**
 * How a graph gets its weights: as inputs of each run, those of `inCodes` packed, or inside it, made for runs of one row or of many.
 *
 * ONNX Runtime packs constants once, and for one row or beside activations in int8 multiplies faster then. Inputs share a session among all
 * layers, and with it the memory of what it computes between its products.
 */
export type GivenWeights<Name extends string> =
  { readonly inputs: WeightShapes<Name> } | { readonly inCodes: Weights<Name> } | ({ readonly constants: Weights<Name> } & PackedProducts);

/**
 * The weights in a graph: one input for each, with the same name, or constants.
 *
 * @param prefix before their names in the graph, where it has the weights of several layers
 */
export function weightValues<Name extends string>(g: GraphBuilder, given: GivenWeights<Name>, prefix = ''): WeightValues<Name> {
  if ('inputs' in given) {
    const shapes = Object.entries(given.inputs as Readonly<Record<string, readonly number[]>>);
    return Object.fromEntries(shapes.map(([name, shape]) => [name, g.input(prefix + name, shape)])) as WeightValues<Name>;
  }
  const isInput = 'inCodes' in given;
  const weights = (isInput ? given.inCodes : given.constants) as Readonly<Record<string, Weight>>;
  const valueOf = ({ place, shape, data }: Part): Value => {
    const isBytes = data instanceof Uint8Array;
    if (isInput) {
      return g.input(place, shape, isBytes ? 'uint8' : 'float32');
    }
    return isBytes ? g.bytes(shape, data, place) : g.floats(shape, data, place);
  };
  const values = Object.entries(weights).map(([name, weight]): [string, Value] => {
    const { packed } = weight;
    const place = prefix + name;
    if (packed === undefined) {
      return [name, isInput ? g.input(place, weight.shape) : g.floats(weight.shape, weight.data, place)];
    }
    const { products, minima } = partsOf(place, packed, isInput ? asInputs : given);
    const value: PackedValue = {
      ...{ name: place, packed, activations: isInput ? 'float32' : given.activations, minima: minima && valueOf(minima) },
      parts: products.map(({ rows, factors }) => ({
        rows,
        products: factors.map(({ bits, operands }) => ({ bits, operands: operands.map(valueOf) })),
      })),
    };
    return [name, value];
  });
  return Object.fromEntries(values) as WeightValues<Name>;
}

/** Products of packed weights that are inputs. */
const asInputs: PackedProducts = { activations: 'float32', oneRow: false };

/** What weights are to a graph that has them as inputs in codes, by name; of float32 where they are not packed. */
export function codedOperands<Name extends string>(weights: Weights<Name>): Readonly<Record<string, CodedOperand>> {
  const operands = Object.entries(weights as Readonly<Record<string, Weight>>).flatMap(([name, weight]): [string, CodedOperand][] => {
    const { packed } = weight;
    if (packed === undefined) {
      return [[name, { shape: weight.shape, data: weight.data }]];
    }
    const { products, minima } = partsOf(name, packed, asInputs);
    const parts = [...products.flatMap(({ factors }) => factors.flatMap((factor) => factor.operands)), ...(minima ? [minima] : [])];
    return parts.map(({ place, shape, data }) => [place, { shape, data }]);
  });
  return Object.fromEntries(operands);
}

/** Codes, or numbers. */
interface CodedOperand {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** Whether some weights are packed and a device multiplies by codes; otherwise they become float32. */
export function usesCodes<Name extends string>(weights: Weights<Name>, device: Pick<Device, 'provider'>): boolean {
  const has = Object.values(weights as Readonly<Record<string, Weight>>).some(({ codeBits }) => codeBits !== undefined);
  return has && hasRuntimeOperators(device);
}

/** Whether some weights are codes of 8 bits, by which one row is multiplied otherwise than many. */
export function hasWideCodes<Name extends string>(weights: Weights<Name>): boolean {
  return Object.values(weights as Readonly<Record<string, Weight>>).some(({ codeBits }) => codeBits === 8);
}

/**
 * Bytes in float32 of the largest matrix that is multiplied as an input in codes. ONNX Runtime unpacks it in memory that it asks the
 * allocator for at each call; that keeps no piece of 32 MiB or more, so every page of it would be cleared each time.
 */
const mostUnpackedInput = 16 * 1024 * 1024;

/** Whether weights are multiplied by many rows at least as fast as inputs in codes as inside a session of their own. */
export function areFastAsInputs<Name extends string>(weights: Weights<Name>): boolean {
  return Object.values(weights as Readonly<Record<string, Weight>>).every(
    ({ shape, codeBits }) => codeBits === undefined || Float32Array.BYTES_PER_ELEMENT * elementsOf(shape) <= mostUnpackedInput,
  );
}

/** `x W^T` for a matrix `[out, in]`, plus a bias if there is one. */
export function linearInto(g: GraphBuilder, x: Value, weight: Value, bias?: Value): Value {
  if (!isPacked(weight)) {
    return g.linear(x, weight, bias);
  }
  const product = timesCodes(g, x, weight);
  return bias === undefined ? product : g.add(product, bias);
}

function isPacked(value: Value): value is PackedValue {
  return 'packed' in value;
}

/** A tensor of a packed matrix, and the name that it has in a graph. */
interface Part extends CodedOperand {
  readonly place: string;
}

/** The tensors of a packed matrix, once for all products by it: of its rows some at a time, and the minima of all, `[rows, columns / block]`. */
function partsOf(
  name: string,
  packed: PackedMatrix,
  { activations, oneRow, unpackedAtOnce = mostUnpackedBytes }: PackedProducts,
): {
  readonly products: readonly {
    readonly rows: number;
    readonly factors: readonly { readonly bits: 4 | 8; readonly operands: readonly Part[] }[];
  }[];
  readonly minima: Part | undefined;
} {
  const { shape, bits, block, codes, scales, minima } = packed;
  const [rows, columns] = shape;
  const blocks = columns / block;
  // Codes about 0 carry less of the activations' rounding into the product: what they have in common goes by the exact sums of x.
  const centred = activations === 'int8' && minima !== undefined ? aboutZero(packed, minima) : undefined;
  const isSigned = minima === undefined || centred !== undefined;
  // There is no kernel for one row of float32 and 8 bits; 2^7 is 16 times 2^3.
  const inHalves = bits === 8 && oneRow && activations === 'float32';
  const factors = inHalves
    ? [
        { of: 'high.', width: 4 as const, own: halvesOf(codes, 4), by: scales.map((scale) => 16 * scale), isSigned },
        { of: 'low.', width: 4 as const, own: halvesOf(codes, 0), by: scales, isSigned: false },
      ]
    : [{ of: '', width: bits, own: centred?.codes ?? codes, by: scales, isSigned }];
  const atOnce = activations === 'float32' ? Math.max(1, Math.floor(unpackedAtOnce / (4 * columns))) : rows;
  const products = Array.from({ length: Math.ceil(rows / atOnce) }, (_, part) => {
    const [from, to] = [part * atOnce, Math.min(rows, (part + 1) * atOnce)];
    return {
      rows: to - from,
      factors: factors.map(({ of, width, own, by, isSigned: hasNoZeros }) => {
        const [place, rowBytes] = [`${name}.${part === 0 ? '' : `${part}.`}${of}`, (columns * width) / 8];
        const operands: Part[] = [
          {
            place: `${place}codes`,
            shape: [to - from, blocks, (block * width) / 8],
            data: own.subarray(from * rowBytes, to * rowBytes),
          },
          { place: `${place}scales`, shape: [(to - from) * blocks], data: by.subarray(from * blocks, to * blocks) },
        ];
        // Without zero points they are 2^(bits - 1). Float ones would have ONNX Runtime unpack the matrix at every call of one row too.
        const zeros = new Uint8Array((to - from) * Math.ceil((blocks * width) / 8));
        return {
          bits: width,
          operands: hasNoZeros ? operands : [...operands, { place: `${place}zeros`, shape: [zeros.length], data: zeros }],
        };
      }),
    };
  });
  return {
    products,
    minima: minima && { place: `${name}.minima`, shape: [rows, blocks], data: centred?.minima ?? minima },
  };
}

/** The same values by codes that are signed, of which about half are negative: 16 in place of 0 is `scale (code - 16) - (minimum - 16 scale)`. */
function aboutZero({ bits, codes, scales }: PackedMatrix, minima: Float32Array): Pick<Required<PackedMatrix>, 'codes' | 'minima'> {
  const zero = 2 ** (bits - 1);
  // Formats of 5 bits have codes of 8.
  const middle = bits === 8 && codes.every((code) => code < 32) ? 16 : zero;
  return {
    codes: middle === zero ? codes : codes.map((code) => code + zero - middle),
    minima: minima.map((minimum, index) => minimum - middle * scales[index]),
  };
}

/** `sum_b scale_b (codes_b . x_b) - minimum_b sum(x_b)`: `MatMulNBits`, and the sums of x over blocks times the minima. */
function timesCodes(g: GraphBuilder, x: Value, { packed, parts, activations, minima }: PackedValue): Value {
  const {
    shape: [, columns],
    block,
  } = packed;
  const ofParts = parts.map(({ rows, products }) =>
    products
      .map(({ operands, bits }) => {
        // Level 0 is with float32 activations, level 4 with int8 ones.
        const attributes = { K: columns, N: rows, bits, block_size: block, accuracy_level: activations === 'int8' ? 4 : 0 };
        return g.call({ opType: 'MatMulNBits', domain: runtimeDomain }, [x, ...operands], 1, attributes)[0];
      })
      .reduce((sum, each) => g.add(sum, each)),
  );
  const product = ofParts.length === 1 ? ofParts[0] : g.concat(-1, ...ofParts);
  if (minima === undefined) {
    return product;
  }
  const sums = g.reshape(g.reduceSum(g.reshape(x, [-1, columns / block, block]), 2), [-1, columns / block]);
  return g.subtract(product, g.linear(sums, minima));
}

/** The upper or lower 4 bits of codes of 8, two in a byte. @param shift 4 or 0 */
function halvesOf(codes: Uint8Array, shift: 0 | 4): Uint8Array {
  const halves = new Uint8Array(codes.length / 2);
  for (let index = 0; index < halves.length; index += 1) {
    halves[index] = ((codes[2 * index] >> shift) & 15) | (((codes[2 * index + 1] >> shift) & 15) << 4);
  }
  return halves;
}
