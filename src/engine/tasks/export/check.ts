import { InputError } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { normal, permutation, uniform } from '../../../core/math/random';
import { type HeadTensors, referenceAttention } from '../../../core/math/reference-attention';
import type { Plan } from '../../../core/plan/plan';
import { maskOf, sampleSeed } from '../../../core/scenario/scenario';
import { hiddenOf } from '../../attend/pass';
import { openDevice } from '../../attend/runtime/provider';
import { type Operand, runFile } from '../../attend/runtime/session';
import { type HeadTensor, headTensors, type LayerTensors } from '../../attend/tiles/layer';
import { spreadRows } from '../../../core/math/spread-rows';
import { OutputHead } from '../../attend/verify/predictions';
import { interruptible } from '../../interruptible';
import { describeEnvironment } from '../../machine';
import type { LoadedModel } from '../../read/model/load';
import { type ScoreFactors, scoreScaleOf } from './described';
import type { ExportPart } from './options';

/** A tensor as the document has it: little-endian numbers, row-major, in base64. */
interface WrittenTensor {
  readonly type: 'float32' | 'int64';
  readonly shape: readonly number[];
  readonly base64: string;
}

/** Rows of an output, and what they are to be. */
interface ExpectedOutput extends WrittenTensor {
  /** The tokens along axis 1 that the numbers are of; absent where they are all of the output. */
  readonly rows?: readonly number[];
  /** The largest difference that float32 explains. */
  readonly tolerance: number;
  /** The largest difference that the reader of this check found; a string for what JSON has no number for. */
  readonly measured: number | 'not finite';
}

/** Inputs of an exported graph with the outputs that they are to give: enough to check the file with any reader of ONNX. */
export interface ExportCheck {
  readonly format: 'two-heads export check 1';
  /** The `.onnx` file beside this one. */
  readonly model: string;
  readonly how: string;
  readonly inputs: Readonly<Record<string, WrittenTensor>>;
  readonly outputs: Readonly<Record<string, ExpectedOutput>>;
  /** What the expected outputs are computed by. */
  readonly reference: string;
  /** What read the file here. */
  readonly reader: string;
  readonly passed: boolean;
}

/** Inputs of more than this make a document that few readers open. */
const mostInputBytes = 128 * 1024 * 1024;

/** Rows of each head that are expected. */
const expectedRows = 64;

const seed = 20_250_612;

/** Python that does what the check does. */
const how = [
  'import base64, json, numpy as np, onnxruntime',
  "check = json.load(open('FILE.onnx.check.json'))",
  "read = lambda t: np.frombuffer(base64.b64decode(t['base64']), '<f4' if t['type'] == 'float32' else '<i8').reshape(t['shape'])",
  "session = onnxruntime.InferenceSession(check['model'])",
  "outputs = session.run(list(check['outputs']), {name: read(t) for name, t in check['inputs'].items()})",
  "for (name, t), out in zip(check['outputs'].items(), outputs):",
  "    rows = np.take(out, t['rows'], axis=1) if 'rows' in t else out",
  "    print(name, np.abs(rows - read(t)).max() <= t['tolerance'])",
].join('\n');

/** Inputs with what they are to give. */
interface Expectation {
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly outputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: Float32Array; readonly tolerance: number }>
  >;
  readonly rows?: readonly number[];
  readonly reference: string;
}

/**
 * Reads an exported file with ONNX Runtime, gives it inputs, and compares the result with one that no exported graph made.
 *
 * @param path the `.onnx` file
 * @param name of that file, for the document
 * @param load loads the model; not called for one layer's attention
 * @throws InputError for a graph whose inputs are too large for a document
 */
export async function checkExport(
  path: string,
  name: string,
  plan: Plan,
  { part, factors }: { readonly part: ExportPart; readonly factors: ScoreFactors },
  load: () => Promise<LoadedModel>,
): Promise<ExportCheck> {
  const { inputs, outputs, rows, reference } =
    part === 'attention' ? interruptible(() => expectedAttention(plan, factors)) : await expectedLogits(plan, await load());
  const given = await runFile(path, inputs);
  const compared = Object.entries(outputs).map(([output, { shape, data, tolerance }]) => {
    const [heads, tokens, width = 1] = given[output].shape;
    const found = given[output].data as Float32Array;
    const own = rows === undefined ? found : rowsOf(found, heads, tokens, width, rows);
    const measured = data.reduce((most, value, index) => worse(most, Math.abs(value - own[index])), own.length === data.length ? 0 : NaN);
    const expected: ExpectedOutput = {
      ...written(shape, data),
      ...(rows && { rows }),
      tolerance,
      measured: Number.isFinite(measured) ? measured : 'not finite',
    };
    return { output, expected, passed: measured <= tolerance };
  });
  return {
    format: 'two-heads export check 1',
    model: name,
    how: how.replace('FILE.onnx', name),
    inputs: Object.fromEntries(Object.entries(inputs).map(([input, { shape, data }]) => [input, written(shape, data)])),
    outputs: Object.fromEntries(compared.map(({ output, expected }) => [output, expected])),
    reference,
    reader: `onnxruntime ${describeEnvironment().onnxruntime}`,
    passed: compared.every(({ passed }) => passed),
  };
}

/** NaN must not vanish in a maximum. */
function worse(most: number, difference: number): number {
  return Number.isNaN(difference) || Number.isNaN(most) ? NaN : Math.max(most, difference);
}

function written(shape: readonly number[], data: Operand['data']): WrittenTensor {
  const type = data instanceof Float32Array ? 'float32' : 'int64';
  return { type, shape: [...shape], base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') };
}

/** `[heads, rows, width]` of `[heads, tokens, width]`. */
function rowsOf(data: Float32Array, heads: number, tokens: number, width: number, rows: readonly number[]): Float32Array {
  const chosen = new Float32Array(heads * rows.length * width);
  for (let head = 0; head < heads; head += 1) {
    rows.forEach((row, index) => {
      const from = (head * tokens + row) * width;
      chosen.set(data.subarray(from, from + width), (head * rows.length + index) * width);
    });
  }
  return chosen;
}

/** Random queries, keys and values, and float64 attention of some rows under the scenario's predicate. */
function expectedAttention(plan: Plan, factors: ScoreFactors): Expectation {
  const { heads, keyValueHeads, headWidth, scoreCap } = plan.model;
  const { tokens } = plan;
  const bytes = 4 * tokens * headWidth * (heads + 2 * keyValueHeads);
  if (bytes > mostInputBytes) {
    throw new InputError(
      `--check would write inputs of ${formatBytes(bytes)} and ${formatBytes(mostInputBytes)} are allowed; check a graph of fewer --tokens.`,
    );
  }
  const next = normal(seed);
  const tensor = (count: number): HeadTensor => ({
    heads: count,
    tokens,
    width: headWidth,
    data: Float32Array.from({ length: count * tokens * headWidth }, () => next()),
  });
  const { columns } = scoreScaleOf(headWidth, factors);
  const [query, key, value] = [tensor(heads), tensor(keyValueHeads), tensor(keyValueHeads)];
  const layer: LayerTensors = { query, key, value, ...(scoreCap !== undefined && { scoreCap }) };
  const rows = spreadRows(tokens, expectedRows);
  const out = new Float32Array(heads * rows.length * headWidth);
  const logNormaliser = new Float32Array(heads * rows.length);
  for (let head = 0; head < heads; head += 1) {
    const own = headTensors(layer, head);
    const queries = Float64Array.from(own.queries, (entry, index) => entry * columns[index % headWidth]);
    const exact = exactRows(plan, { ...own, queries }, rows);
    out.set(exact.out, head * rows.length * headWidth);
    logNormaliser.set(exact.logNormaliser, head * rows.length);
  }
  const fed = ({ heads: count, data }: HeadTensor): Operand => ({ data, shape: [count, tokens, headWidth] });
  return {
    inputs: { query: fed(query), key: fed(key), value: fed(value) },
    outputs: {
      out: { shape: [heads, rows.length, headWidth], data: out, tolerance: 1e-4 },
      logNormaliser: { shape: [heads, rows.length], data: logNormaliser, tolerance: 1e-4 },
    },
    rows,
    reference: "float64 attention of the same queries, keys and values under the scenario's predicate",
  };
}

/** Float64 attention of one head's rows; of `average-case`, over each query block's sample, whose sum is scaled up to all keys. */
function exactRows(
  { scenario, tokens, blockSize }: Plan,
  head: HeadTensors,
  rows: readonly number[],
): ReturnType<typeof referenceAttention> {
  const sampled = sampleSeed(scenario);
  if (sampled === undefined) {
    return referenceAttention(head, maskOf(scenario, tokens), 1, rows);
  }
  const order = permutation(tokens, sampled);
  const permuted = (data: HeadTensors['keys']): Float32Array =>
    Float32Array.from(data, (_, index) => data[order[Math.floor(index / head.width)] * head.width + (index % head.width)]);
  const blockOf = (row: number): { from: number; to: number } => {
    const from = Math.floor(row / blockSize) * blockSize;
    return { from, to: Math.min(tokens, from + blockSize) };
  };
  const mask = { ranges: (row: number) => [blockOf(row)] };
  const exact = referenceAttention({ ...head, keys: permuted(head.keys), values: permuted(head.values) }, mask, 1, rows);
  const scaledUp = Float64Array.from(exact.logNormaliser, (value, index) => {
    const { from, to } = blockOf(rows[index]);
    return value + Math.log(tokens / (to - from));
  });
  return { ...exact, logNormaliser: scaledUp };
}

/** Random tokens, and the logits of a run of this plan tile by tile. */
async function expectedLogits(plan: Plan, model: LoadedModel): Promise<Expectation> {
  const { tokens: count } = plan;
  const { width, vocabulary } = model.shape;
  const next = uniform(seed);
  const tokens = Int32Array.from({ length: count }, () => Math.floor(next() * vocabulary));
  const device = await openDevice('cpu', 0);
  const head = new OutputHead(model, device);
  try {
    const hidden = await hiddenOf(model, plan, tokens, device);
    const logits = await head.logits(hidden.slice((count - 1) * width));
    const largest = logits.reduce((most, value) => worse(most, Math.abs(value)), 0);
    return {
      inputs: { tokens: { data: BigInt64Array.from(tokens, BigInt), shape: [count] } },
      outputs: { logits: { shape: [1, vocabulary], data: logits, tolerance: 1e-4 * Math.max(1, largest) } },
      reference: "the same tokens through Two Heads' own runs, a call of the small transformer at a time",
    };
  } finally {
    await head.release();
  }
}
