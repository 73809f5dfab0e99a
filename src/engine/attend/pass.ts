import { isBlackBox } from '../../core/construct/construction';
import { InputError } from '../../core/errors';
import { said, text } from '../../core/l10n';
import type { Precision, SimulationOptions } from '../../core/options/table';
import type { Plan } from '../../core/plan/plan';
import { segmentsOf } from '../../core/plan/segments';
import { type PassExecutor, preferredExecutor } from '../../core/predict/executor';
import { scenarioLabel, tileRuleOf } from '../../core/scenario/scenario';
import { compiledForward, type CompiledPass } from './compiled/forward';
import type { LoadedModel } from '../read/model/load';
import { forwardRows, type StreamRows, wholeStream } from './forward';
import { PhaseClock } from './runtime/clock';
import { usesCodes } from './graphs/linear';
import { type Device, forPrecision } from './runtime/provider';
import { OnnxOracle } from './tiles/onnx-oracle';

/**
 * The executor of a plan on a device.
 *
 * @throws InputError if compiled layers, or float16, were requested for a black-box construction, for heads with masks of their own, or for
 * tiles that are chosen in the run
 */
export function executorOf(
  { executor, precision }: Pick<SimulationOptions, 'executor' | 'precision'>,
  plan: Plan,
  { provider }: Device,
): PassExecutor {
  const { construction, scenario } = plan;
  if (scenario.kind === 'per-head' && (precision === 'float16' || executor === 'compiled')) {
    throw new InputError(
      `Compiled layers, and float16 with them, have one mask for all heads, and ${scenarioLabel(scenario)} has several; use --executor tiles in float32.`,
    );
  }
  if (tileRuleOf(scenario) !== undefined && (precision === 'float16' || executor === 'compiled')) {
    throw new InputError(
      `Compiled layers, and float16 with them, have their tiles before the run, and ${scenarioLabel(scenario)} chooses them in it; use --executor tiles in float32.`,
    );
  }
  if (precision === 'float16' && (executor === 'tiles' || isBlackBox(construction))) {
    throw new InputError(
      'Precision "float16" is for compiled layers of construction fused; leave --executor and --construction out, or use --precision float32.',
    );
  }
  if (executor === 'compiled' && isBlackBox(construction)) {
    throw new InputError(`Executor "compiled" runs construction fused only, not ${construction}; use --executor tiles.`);
  }
  return executor === 'auto' ? preferredExecutor(plan, precision, provider) : executor;
}

/**
 * The device as a run's options want it: for products of a precision, and with activations.
 *
 * @throws InputError for a precision that it does not have, and for int8 activations where nothing is multiplied by codes, or nothing
 * measures their error
 */
export async function deviceFor(
  device: Device,
  { executor, precision, activations, verify }: Pick<SimulationOptions, 'executor' | 'precision' | 'activations' | 'verify'>,
  { name, layers }: Pick<LoadedModel, 'name' | 'layers'>,
): Promise<Device> {
  if (activations === 'float32') {
    return forPrecision(device, precision);
  }
  const refuse = (why: string, fix: string): never => {
    throw new InputError(`Activations "${activations}" ${why}; ${fix}, or --activations float32.`);
  };
  if (device.provider !== 'cpu') {
    refuse(said`run on the CPU, not on ${device.provider}`, text('use --provider cpu'));
  }
  if (executor === 'compiled' || precision !== 'float32') {
    refuse(text('are for runs tile by tile'), text('leave --executor and --precision out'));
  }
  if (verify === 'none') {
    refuse(text('have an error that --verify none would not measure'), text('use --verify rows'));
  }
  if (!layers.some(({ project, outputAndMlp }) => usesCodes(project, device) || usesCodes(outputAndMlp, device))) {
    throw new InputError(`${name} has no packed weights, so --activations ${activations} changes nothing; leave it out.`);
  }
  return { ...device, activations };
}

/** Runs a prompt through the layers of a model, with one of the executors. Hands out the rows of its last residual stream, in order. */
export type Pass = (given: Omit<CompiledPass, 'precision'>) => AsyncGenerator<StreamRows>;

/** The pass of an executor. Tile by tile, a long prompt goes in segments where that takes less memory, unless the pass says how. */
export function passOf(executor: PassExecutor, precision: Precision): Pass {
  return executor === 'compiled'
    ? async function* (given) {
        yield { from: 0, rows: await compiledForward({ ...given, precision }) };
      }
    : (given) => forwardRows({ segments: segmentsOf(given.plan), ...given });
}

/**
 * Runs a sequence on a device, for those whom neither its progress nor its calls concern.
 *
 * @param tokens ids `[N]`
 * @param pass how: tile by tile, unless it is said
 * @returns the last layer's residual stream `[N, d]`, before the final norm
 */
export async function hiddenOf(
  model: LoadedModel,
  plan: Plan,
  tokens: Int32Array,
  device: Device,
  pass: Pass = passOf('tiles', 'float32'),
): Promise<Float32Array> {
  const oracle = new OnnxOracle(model, plan.oracle.inputLength, device, plan.tokens);
  const { signal } = new AbortController();
  try {
    const rows = pass({ model, plan, tokens, oracle, clock: new PhaseClock(), signal, onProgress: () => undefined });
    return await wholeStream(rows, plan);
  } finally {
    await oracle.release();
  }
}
