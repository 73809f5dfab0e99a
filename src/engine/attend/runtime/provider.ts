import { plannedProvider } from '../../../core/predict/executor';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { env, InferenceSession, listSupportedBackends, Tensor } from '../../onnxruntime';
import { InputError, messageOf } from '../../../core/errors';
import { said, text } from '../../../core/l10n';
import { wordsOf } from '../../../core/options/option';
import { type Activations, type CalibrationOptions, optionTable, type Precision, type Provider } from '../../../core/options/table';
import type { Calibration } from '../../../core/predict/calibration';
import { GraphBuilder } from '../onnx/graph-builder';

/** A provider that was tested on this machine. */
export interface Device {
  /** The execution provider in use, never `auto`. */
  readonly provider: Exclude<Provider, 'auto'>;
  /** Name of the hardware. */
  readonly name: string;
  /** Threads of ONNX Runtime's pool. */
  readonly threads: number;
  /** In which it adds up products of float16, where that was tried: see `forPrecision`. */
  readonly float16Sums?: Precision;
  /** What it multiplies with packed weights; float32 where nothing is said. */
  readonly activations?: Activations;
}

/**
 * Opens the device that a prompt was planned for: the named one, or else the calibrated one.
 *
 * @throws InputError like `openDevice`
 */
export function openPlannedDevice({ provider, threads }: CalibrationOptions, calibration: Calibration | undefined): Promise<Device> {
  return openDevice(plannedProvider(provider, calibration), threads);
}

/**
 * Finds the device of a provider by running a small tile of attention on it.
 *
 * `auto` means the CPU here: a provider that calibration prefers is passed by name. A named provider is used or refused,
 * never replaced.
 * @throws InputError if the provider is not available or does not run
 */
export async function openDevice(provider: Provider, threads: number): Promise<Device> {
  checkThreads(threads);
  const chosen = provider === 'auto' ? 'cpu' : provider;
  const compiledIn = listSupportedBackends().map((backend) => backend.name);
  if (!compiledIn.includes(chosen)) {
    const present = wordsOf(optionTable.provider).filter((name) => compiledIn.includes(name));
    throw new InputError(
      `Provider "${chosen}" is not in ONNX Runtime for ${process.platform}-${process.arch}; use one of auto, ${present.join(', ')}.`,
    );
  }
  // Every error is also thrown; the runtime's own log lines would only hide the message with the fix.
  env.logLevel = 'fatal';
  const device: Device = {
    provider: chosen,
    name: deviceName(chosen),
    threads: threads > 0 ? threads : physicalCores(),
  };
  try {
    await probe(device);
  } catch (error) {
    // The message of a failed check in the runtime begins with its source location; the reason comes after it.
    const reason = messageOf(error)
      .split('\n')[0]
      .replace(/^.* was false\. /, '');
    throw new InputError(`Provider "${chosen}" does not run on this machine (${reason}); use --provider cpu.`);
  }
  return device;
}

/** Most threads for each processor. More of them wait for one another: a thousand on two processors stand still. */
const mostPerProcessor = 4;

/**
 * Refuses threads that would stand in one another's way.
 *
 * @param engines processes that each have so many
 * @throws InputError that names the most there may be
 */
export function checkThreads(threads: number, engines = 1): void {
  const processors = availableParallelism();
  // A few are no harm on the smallest machine, so that an experiment's file can be repeated there.
  const most = Math.max(8, mostPerProcessor * processors);
  if (threads * engines > most) {
    const asked = engines === 1 ? `${threads} threads` : `${engines} processes of ${threads} threads`;
    const fix = engines === 1 ? `use --threads ${most} or fewer, or 0 for every core` : `use ${most} threads or fewer together`;
    throw new InputError(`${asked} are too many for this machine's ${processors} processors; ${fix}.`);
  }
}

/**
 * Session options for a device: every operator must run on it, and idle threads must not occupy cores.
 *
 * @param hasWeights whether the graph has a layer's weights inside: there are many such sessions, and each would keep the memory of its
 *   own intermediates in an arena
 */
export function sessionOptions({ provider, threads }: Device, hasWeights = false): InferenceSession.SessionOptions {
  return {
    executionProviders: [providerOptions[provider] ?? provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(hasWeights && { enableCpuMemArena: false, enableMemPattern: false }),
    // DirectML requires both.
    ...(provider === 'dml' && { enableMemPattern: false, executionMode: 'sequential' }),
    extra: {
      session: {
        // Threads spin between the operators of a run and stop at its end, because the next run may be another session's.
        force_spinning_stop: '1',
        intra_op: { allow_spinning: '1' },
        ...(provider === 'cpu' ? {} : { disable_cpu_ep_fallback: '1' }),
      },
    },
  };
}

/**
 * Core ML as ML Program on CPU and GPU (0x10 | 0x20): its older format lacks operators, and the Neural Engine rounds to
 * float16.
 */
const providerOptions: Partial<Record<Provider, InferenceSession.ExecutionProviderConfig>> = {
  coreml: { name: 'coreml', coreMlFlags: 0x30 },
};

/**
 * Whether a provider has the operators of ONNX Runtime's own that graphs use where they may: `MatMulNBits`, `RotaryEmbedding` and
 * `SimplifiedLayerNormalization`. The others were not tried, and what a provider lacks is not left to the CPU.
 */
export function hasRuntimeOperators({ provider }: Pick<Device, 'provider'>): boolean {
  return provider === 'cpu' || provider === 'webgpu' || provider === 'cuda';
}

/** Largest relative error of the probe: CUDA multiplies in TF32 by default. */
const probeTolerance = 5e-3;

/**
 * Runs a small tile of attention and compares it with the same sums in float64: a provider that starts may still compute
 * wrong results.
 */
async function probe(device: Device): Promise<void> {
  const [rows, width] = [8, 16];
  const g = new GraphBuilder('probe');
  const query = g.input('query', [rows, width]);
  const key = g.input('key', [rows, width]);
  g.output('sums', g.reduceSum(g.exp(g.matMul(query, g.transpose(key, [1, 0]))), 1), [rows, 1]);
  const data = Float32Array.from({ length: rows * width }, (_, index) => Math.sin(index) / 2);
  const session = await InferenceSession.create(g.build(), sessionOptions(device));
  try {
    const operand = new Tensor('float32', data, [rows, width]);
    const { sums } = await session.run({ query: operand, key: operand });
    const product = (a: number, b: number): number =>
      data.subarray(a * width, (a + 1) * width).reduce((sum, x, column) => sum + x * data[b * width + column], 0);
    (sums.data as Float32Array).forEach((found, row) => {
      const exact = Array.from({ length: rows }, (_, other) => Math.exp(product(row, other))).reduce((sum, x) => sum + x, 0);
      if (!(Math.abs(found / exact - 1) < probeTolerance)) {
        throw new Error(said`a sum of ${exact} came out as ${found}`);
      }
    });
  } finally {
    await session.release();
  }
}

/**
 * The device for products of a precision. Float16 is refused where it is not really there: WebGPU without shader-f16 fails when such
 * a graph runs, and the CPU computes it in float32, which is detected by a number that float16 cannot represent. Where it is there,
 * the device says in which precision it adds products up.
 *
 * @throws InputError
 */
export async function forPrecision(device: Device, precision: Precision): Promise<Device> {
  if (precision === 'float32') {
    return device;
  }
  try {
    const product = (rows: number, length: number): Uint8Array => {
      const g = new GraphBuilder('float16');
      const [left, right] = [g.input('left', [rows, length]), g.input('right', [length, rows])];
      g.output('product', g.cast(g.matMul(g.cast(left, 'float16'), g.cast(right, 'float16')), 'float32'), [rows, rows]);
      return g.build();
    };
    const run = async (rows: number, left: Float32Array, right: Float32Array): Promise<Float32Array> => {
      const length = left.length / rows;
      const session = await InferenceSession.create(product(rows, length), sessionOptions(device));
      try {
        const found = await session.run({
          left: new Tensor('float32', left, [rows, length]),
          right: new Tensor('float32', right, [length, rows]),
        });
        return found.product.data as Float32Array;
      } finally {
        await session.release();
      }
    };
    const unrepresentable = new Float32Array(16).fill(0.5 + 2 ** -14);
    if ((await run(4, unrepresentable, unrepresentable))[0] !== 1) {
      throw new Error(text('it computes in float32 instead'));
    }
    const { rows, terms, sums } = float16Sums();
    return { ...device, float16Sums: float16SumsOf(sums, await run(rows, terms, new Float32Array(terms.length).fill(1))) };
  } catch (error) {
    const reason = messageOf(error).split('\n')[0];
    throw new InputError(`Precision "float16" does not run on ${device.provider} (${device.name}: ${reason}); use --precision float32.`);
  }
}

/** Sums of 1,024 numbers from 1/2 to 1 that float16 represents: float32 adds them up exactly in any order, float16 does not. */
export function float16Sums(): { readonly rows: number; readonly terms: Float32Array; readonly sums: Float32Array } {
  const [rows, length, grid] = [16, 1024, 2 ** -11];
  const terms = Float32Array.from({ length: rows * length }, (_, index) => 0.75 + grid * Math.floor(512 * Math.sin(index)));
  return {
    rows,
    terms,
    sums: Float32Array.from({ length: rows }, (_, row) => terms.subarray(row * length, (row + 1) * length).reduce((sum, x) => sum + x, 0)),
  };
}

/** In which precision a device added up, from what it gave `[rows, rows]`: in float32 if each sum was rounded once, at its end. */
export function float16SumsOf(sums: Float32Array, given: Float32Array): Precision {
  // Numbers of float16 from 512 on are 1/2 apart.
  return given.every((sum, at) => Math.abs(sum - sums[Math.floor(at / sums.length)]) <= 1 / 4) ? 'float32' : 'float16';
}

/**
 * Logical cores: the physical ones on a machine without hyper-threading. ONNX Runtime's own default there, made explicit so
 * that it can be reported.
 */
function physicalCores(): number {
  return Math.max(1, cpus().length);
}

/**
 * Name of a provider's hardware: the processor, the first NVIDIA card that the driver lists, or a software device named in
 * the environment. ONNX Runtime does not report it; if nothing is found, the provider's own name is used.
 */
function deviceName(provider: Exclude<Provider, 'auto'>): string {
  if (provider === 'cpu') {
    return cpus()[0]?.model.trim() ?? process.arch;
  }
  const drivers = `${process.env.VK_ICD_FILENAMES ?? ''} ${process.env.VK_DRIVER_FILES ?? ''}`;
  if (provider === 'webgpu' && /swiftshader/i.test(drivers)) {
    return 'SwiftShader (software)';
  }
  return (provider === 'webgpu' || provider === 'cuda' ? nvidiaName() : undefined) ?? provider;
}

/** The model name of the first card, from the NVIDIA driver on Linux. */
function nvidiaName(folder = '/proc/driver/nvidia/gpus'): string | undefined {
  try {
    const [first] = readdirSync(folder);
    return /^Model:\s*(.+)$/m.exec(readFileSync(join(folder, first, 'information'), 'utf8'))?.[1].trim();
  } catch {
    return undefined;
  }
}
