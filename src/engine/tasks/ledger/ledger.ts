import { formatNumberOf } from '../../../core/format';
import type { LedgerOptions, LedgerReport, LedgerRow } from '../../../core/ledger/report';
import { normal } from '../../../core/math/random';
import { planLayers } from '../../../core/plan/plan';
import type { OnProgress } from '../../../core/report/phases';
import { reportSchemaVersion } from '../../../core/report/report';
import { type SamplingReport, statedFailureProbability } from '../../../core/report/sampling';
import { sampledVerdict } from '../../../core/report/verdict';
import type { ModelShape } from '../../../core/shapes';
import { type Device, openDevice } from '../../attend/runtime/provider';
import { headTensor, type HeadTensor } from '../../attend/tiles/layer';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { SamplingCheck } from '../../attend/verify/sampling';
import { describeEnvironment } from '../../machine';
import { plainLlama } from '../../read/model/architectures/llama';
import { converseRow } from './converse-row';
import { ledgerRow, ledgerStatements, planStatement } from './row';

/** What surrounds a ledger. */
interface LedgerContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Share of a ledger's time that its statements take; the rest is theorem 4.1 over many seeds. */
const statementsShare = 0.6;

/**
 * Runs every statement of the paper on random data, counts its calls and measures its errors.
 *
 * @throws InputError for parameters that no plan can be made of; CancelledError once the signal is aborted
 */
export async function runLedger(options: LedgerOptions, { signal, onProgress }: LedgerContext): Promise<LedgerReport> {
  // What cannot be run is refused before anything is.
  const plans = ledgerStatements(options).map((statement) => planStatement(statement, options));
  const device = await openDevice('cpu', options.threads);
  const rows: LedgerRow[] = [];
  for (const plan of plans) {
    const message = `${plan.scenario.kind}, ${plan.construction}`;
    const report = (fraction: number): void =>
      onProgress({ fraction: (statementsShare * (rows.length + fraction)) / plans.length, phase: 'attend', message });
    rows.push(await ledgerRow(plan, options, device, signal, report));
  }
  rows.push(await converseRow(options, device, signal));
  const message = `theorem 4.1 over ${formatNumberOf(options.seeds, 'seed')}`;
  const sampling = await samplingTrial(options, device, signal, (fraction) =>
    onProgress({ fraction: statementsShare + (1 - statementsShare) * fraction, phase: 'verify', message }),
  );
  onProgress({ fraction: 1, phase: 'verify', message: 'done' });
  return {
    schemaVersion: reportSchemaVersion,
    options,
    rows,
    sampling,
    samplingVerdict: sampledVerdict(sampling),
    environment: describeEnvironment(),
  };
}

/** One head of two columns over 4,608 tokens, each of which sees a sample of 2,304 keys. */
const shape: ModelShape = { layers: 1, heads: 1, keyValueHeads: 1, headWidth: 2, width: 2, feedForwardWidth: 2, vocabulary: 2 };
const tokens = 4608;
const sample = 2304;

/**
 * The error to be guaranteed: for the data below, the sample is just as large as the theorem asks. No trial would miss it, for its
 * constants are large; what decides is the error that statistics expect of the same samples.
 */
const epsilon = 0.9;

/**
 * Theorem 4.1 over many seeds, on data that satisfies its assumption: scores within a few hundredths of 0, values within a
 * few hundredths of one another.
 */
export async function samplingTrial(
  { seed, seeds }: LedgerOptions,
  device: Device,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<SamplingReport> {
  const next = normal(seed);
  const filled = (entry: (column: number) => number): HeadTensor => {
    const tensor = headTensor(1, tokens, shape.headWidth);
    tensor.data.forEach((_, index) => (tensor.data[index] = entry(index % shape.headWidth)));
    return tensor;
  };
  const layer = {
    query: filled(() => 0.05 * next()),
    key: filled(() => 0.05 * next()),
    value: filled((column) => (column === 0 ? 1 : 0) + 0.01 * next()),
  };
  const plan = planLayers({
    tokens,
    model: shape,
    scenario: { kind: 'average-case', seed },
    construction: 'tight',
    oracle: { inputLength: sample + 1, layers: 1, heads: 1, causal: false },
  });
  const oracle = new OnnxOracle(plainLlama(shape), sample + 1, device);
  try {
    const rows = Array.from({ length: tokens }, (_, row) => row);
    const data = 'synthetic: scores near 0, values much alike, so that the assumption holds';
    const check = new SamplingCheck(
      plan,
      { epsilon, failureProbability: statedFailureProbability, seeds, rows, data },
      oracle,
      signal,
      onProgress,
    );
    await check.inspect(0, layer);
    return check.result();
  } finally {
    await oracle.release();
  }
}
