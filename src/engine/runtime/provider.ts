import { cpus } from 'node:os';
import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { InputError, messageOf } from '../../core/errors';
import { providers, type Provider } from '../../core/options';
import { GraphBuilder } from '../onnx/graph-builder';

/** A provider that was seen to run on this machine. */
export interface Device {
  /** The execution provider that runs, never `auto`. */
  readonly provider: Exclude<Provider, 'auto'>;
  /** What it runs on, in words. */
  readonly name: string;
  /** Threads of ONNX Runtime's pool. */
  readonly threads: number;
}

/**
 * Finds the device for a provider by running a small graph on it.
 *
 * `auto` is the CPU: until devices are calibrated there is no ground to prefer another one. A provider that was named is
 * used or refused, never replaced.
 * @throws InputError where the provider is not there or does not run
 */
export async function openDevice(provider: Provider, threads: number): Promise<Device> {
  const chosen = provider === 'auto' ? 'cpu' : provider;
  const compiledIn = listSupportedBackends().map((backend) => backend.name);
  if (!compiledIn.includes(chosen)) {
    const present = providers.filter((name) => compiledIn.includes(name));
    throw new InputError(`Provider "${chosen}" is not in ONNX Runtime for ${process.platform}-${process.arch}; use one of auto, ${present.join(', ')}.`);
  }
  // Every error is thrown as well; the runtime's own lines would only stand between the user and the one that says what to do.
  env.logLevel = 'fatal';
  const device: Device = {
    provider: chosen,
    name: chosen === 'cpu' ? cpuName() : chosen,
    threads: threads > 0 ? threads : physicalCores(),
  };
  try {
    await probe(device);
  } catch (error) {
    // A failed check of the runtime begins with its place in the source; what went wrong comes after it.
    const reason = messageOf(error).split('\n')[0].replace(/^.* was false\. /, '');
    throw new InputError(`Provider "${chosen}" does not run on this machine (${reason}); use --provider cpu.`);
  }
  return device;
}

/** Session options for a device: every operator must run on it, and idle threads must not take a core from others. */
export function sessionOptions({ provider, threads }: Device): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: {
      session: {
        // Threads spin between the operators of a run, and stop when it ends: the next run may be another session's.
        force_spinning_stop: '1',
        intra_op: { allow_spinning: '1' },
        ...(provider === 'cpu' ? {} : { disable_cpu_ep_fallback: '1' }),
      },
    },
  };
}

/** Runs `1 + 1`. */
async function probe(device: Device): Promise<void> {
  const g = new GraphBuilder('probe');
  const x = g.input('x', [1]);
  g.output('y', g.add(x, x), [1]);
  const session = await InferenceSession.create(g.build(), sessionOptions(device));
  try {
    const { y } = await session.run({ x: new Tensor('float32', [1], [1]) });
    if (y.data[0] !== 2) {
      throw new Error(`1 + 1 came out as ${String(y.data[0])}`);
    }
  } finally {
    await session.release();
  }
}

function cpuName(): string {
  return cpus()[0]?.model.trim() ?? process.arch;
}

/** Cores that a machine without hyper-threading would have; ONNX Runtime's own default, made explicit so that it can be reported. */
function physicalCores(): number {
  return Math.max(1, cpus().length);
}
