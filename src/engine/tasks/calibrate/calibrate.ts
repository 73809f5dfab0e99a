import type { CalibrationOptions } from '../../../core/options/table';
import { InputError } from '../../../core/errors';
import { formatFigure } from '../../../core/format';
import { compiledScoreBytes } from '../../../core/plan/attention-cost';
import {
  type Calibration,
  calibrationSchemaVersion,
  denseOperators,
  type DenseRate,
  type TokenwiseRate,
} from '../../../core/predict/calibration';
import { calibrationLoad } from '../../../core/predict/load';
import type { OnProgress } from '../../../core/report/phases';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { type Device, openDevice } from '../../attend/runtime/provider';
import { describeEnvironment } from '../../machine';
import type { CalibrationStore } from '../../store/calibrations';
import { ProcessorWatch } from '../../load';
import { AttentionRates, tileRateOf, type TileTimes } from './attention-rates';
import { denseRates } from './dense-rates';
import { layerRate } from './layer-rate';
import { Pacemaker, peakFlops } from './pace';
import { passRate } from './pass-rate';
import { copyBandwidth, Rounds, Schedule, type Stage } from './timing';
import { tokenwiseRate } from './tokenwise-rates';

/** Tile sizes M, head widths m and widths d that are measured; other ones lie between. Where time is up, the last ones are left out. */
const tileSizes = [128, 32, 512, 64, 256, 1024] as const;
const headWidths = [64, 32, 128] as const;
const widths = [256, 1024, 128, 576] as const;

/** Rounds over all tile sizes, so that a slow moment does not fall on one alone. */
const tileRounds = 2;

/** What a calibration may take on a quiet machine of two cores, in milliseconds, and what of it is left for what follows the tiles. */
const longestMs = 30_000;
const reservedMs = 14_000;

/**
 * What a calibration may take anywhere, in milliseconds: measurements that would begin later are left out. What has begun is ended,
 * for which a third of a minute is left.
 */
const mostMs = 40_000;

/** The stages on the CPU, by what they take on a quiet machine; and on other devices. */
const stages = {
  peak: { share: 0.04, steps: 1 },
  dense: { share: 0.24, steps: headWidths.length * denseOperators.length },
  batch: { share: 0.28, steps: 1 },
  tiles: { share: 0.62, steps: headWidths.length * tileSizes.length * tileRounds },
  tokenwise: { share: 0.76, steps: 1 + widths.length },
  passes: { share: 0.99, steps: 28 },
  compiled: { share: 0.99, steps: 1 },
  copies: { share: 1, steps: 1 },
} as const satisfies Readonly<Record<string, Stage>>;

/** Batches of score tiles that are tried, in bytes. */
const scoreSizes = [1, 2, 4, 8].map((mebibytes) => mebibytes * 1024 * 1024);

/** Where the batch size is chosen: tiles so small that several make a batch, so large that their memory shows. */
const batchTrial = { headWidth: 64, rows: 256, blocks: 16 } as const;

/** Key length of the copy that is timed. */
const gatheredTokens = 16_384;

/** How much faster than the best large product a run may seem: the product too has slow moments. */
const peakMargin = 1.25;

/** Called before each measurement, with what is measured; may stop the calibration by throwing. */
type Step = (message: string) => Promise<void>;

/**
 * Measures a device: on the CPU what runs of attention calls cost by tile size, token-wise runs by width, copies, and whole passes,
 * whose residual the intervals of predictions come from; on others what compiled layers cost; and the runtime's dense operators.
 *
 * Takes half a minute on a quiet machine of two cores, and about a minute at most anywhere: what is left out then is counted, and
 * intervals are wider. What is timed is what runs: the executor itself, on small layers. All fits have more times than rates.
 * @throws CancelledError between two measurements; InputError where times are impossible
 */
export async function calibrate(device: Device, signal: AbortSignal, onProgress: OnProgress): Promise<Calibration> {
  const watch = new ProcessorWatch();
  const start = performance.now();
  const idleBytes = process.memoryUsage().rss;
  const tilewise = device.provider === 'cpu';
  const pacemaker = await Pacemaker.create(device);
  try {
    const schedule = new Schedule(mostMs);
    schedule.begin(stages.peak);
    const step: Step = async (message) => {
      throwIfCancelled(signal);
      onProgress({ fraction: schedule.step(), phase: 'attend', message });
      await pacemaker.look();
    };
    await step('the best product');
    const before = await peakFlops(device, schedule.until);
    schedule.begin(stages.dense);
    const dense: DenseRate[] = [];
    for (const headWidth of headWidths) {
      dense.push(...(await denseRates(headWidth, device, schedule, (operator) => step(`${operator}, heads of ${headWidth}`))));
    }
    dense.sort((one, other) => one.headWidth - other.headWidth);
    const rates = tilewise
      ? await tilewiseRates(device, before, start + longestMs, schedule, step)
      : await compiledRates(device, before, schedule, step);
    schedule.begin(stages.copies);
    await step('copies');
    const bandwidth = await copyBandwidth(device);
    await pacemaker.look();
    onProgress({ fraction: 1, phase: 'attend', message: 'done' });
    return {
      schemaVersion: calibrationSchemaVersion,
      provider: device.provider,
      device: device.name,
      threads: device.threads,
      onnxruntime: describeEnvironment().onnxruntime,
      date: new Date().toISOString(),
      ...rates,
      ...(schedule.leftOut > 0 && { leftOut: schedule.leftOut }),
      dense,
      bandwidth,
      idleBytes,
      load: calibrationLoad(watch.time(), device.threads, pacemaker.paces),
      tookMs: performance.now() - start,
    };
  } finally {
    await pacemaker.release();
  }
}

/** The rates that say how plans run on a device. */
type DeviceRates = Pick<
  Calibration,
  'scoreBytes' | 'tiles' | 'gatherNsPerFloat' | 'tokenwise' | 'pass' | 'layer' | 'sampled' | 'refused' | 'peakFlops'
>;

/** What runs of a few tiles and token-wise runs take: how plans run on the CPU. */
async function tilewiseRates(device: Device, before: number, deadline: number, schedule: Schedule, step: Step): Promise<DeviceRates> {
  schedule.begin(stages.batch);
  await step('batch size');
  const scoreBytes = await fastestBatch(device, schedule.until);
  schedule.begin(stages.tiles);
  const sampled: { readonly rows: number; readonly headWidth: number; readonly times: TileTimes }[] = [];
  const tokenwise: TokenwiseRate[] = [];
  let gatherNsPerFloat = 0;
  const rounds = new Rounds(tileRounds, deadline - reservedMs);
  while (rounds.next()) {
    for (const headWidth of headWidths) {
      const rates = new AttentionRates(headWidth, device);
      try {
        for (const rows of tileSizes) {
          // In a second round, nothing is missed.
          if (sampled.length > 0 && !(rounds.done === 0 ? schedule.allows() : performance.now() < schedule.until)) {
            continue;
          }
          await step(`tiles of ${rows} by ${rows}, heads of ${headWidth}`);
          sampled.push({ rows, headWidth, times: await rates.sample(rows, scoreBytes, schedule.until) });
        }
        // Copies take the same whatever the heads' width.
        gatherNsPerFloat ||= await rates.gatherNsPerFloat(gatheredTokens);
      } finally {
        await rates.release();
      }
    }
  }
  schedule.begin(stages.tokenwise);
  await step('the best product');
  const peak = Math.max(before, await peakFlops(device, schedule.until));
  const limit = peakMargin * peak;
  for (const width of widths) {
    if (tokenwise.length > 0 && !schedule.allows()) {
      continue;
    }
    await step(`token-wise runs of width ${width}`);
    tokenwise.push(await tokenwiseRate(width, device, limit));
  }
  tokenwise.sort((one, other) => one.width - other.width);
  schedule.begin(stages.passes);
  const { tiles, refused } = tileRatesOf(sampled, limit);
  const passes = await passRate(device, { tiles, gatherNsPerFloat, tokenwise }, scoreBytes, deadline, schedule, () => step('whole passes'));
  return { scoreBytes, tiles, gatherNsPerFloat, tokenwise, ...passes, layer: null, refused, peakFlops: peak };
}

/** The rates of every tile size, from its times of all rounds. @throws InputError where a head width has none that is possible */
function tileRatesOf(
  sampled: readonly { readonly rows: number; readonly headWidth: number; readonly times: TileTimes }[],
  limit: number,
): Pick<Calibration, 'tiles' | 'refused'> {
  const tiles: Calibration['tiles'][number][] = [];
  let refused = 0;
  for (const headWidth of headWidths) {
    for (const rows of tileSizes) {
      const own = sampled.filter((each) => each.rows === rows && each.headWidth === headWidth).map(({ times }) => times);
      if (own.length === 0) {
        continue;
      }
      const joined = { features: own.flatMap(({ features }) => features), times: own.flatMap(({ times }) => times) };
      const found = tileRateOf(rows, headWidth, joined, limit);
      refused += found.refused;
      if (found.rate !== undefined) {
        tiles.push(found.rate);
      }
    }
    if (sampled.some((each) => each.headWidth === headWidth) && !tiles.some((tile) => tile.headWidth === headWidth)) {
      throw new InputError(
        `Tiles with heads of ${headWidth} seemed faster than this machine's best matrix product, ${formatFigure(limit / 1e9)} GFLOP/s; its clock or its load is unsteady: calibrate again.`,
      );
    }
  }
  return { tiles, refused };
}

/** What compiled layers take: how plans run elsewhere. */
async function compiledRates(device: Device, peak: number, schedule: Schedule, step: Step): Promise<DeviceRates> {
  schedule.begin(stages.compiled);
  await step('compiled layers');
  const unused = { samples: 0, unknowns: 0, error: 0 };
  return {
    ...(await layerRate(device)),
    scoreBytes: compiledScoreBytes,
    tiles: [],
    gatherNsPerFloat: 0,
    tokenwise: [],
    pass: { startMs: 0, attendFactor: 1, tokenwiseFactor: 1, fit: unused },
    refused: 0,
    peakFlops: peak,
  };
}

/** The batch of score tiles with which a causal layer runs fastest, of those for which there is time. */
async function fastestBatch(device: Device, until: number): Promise<number> {
  const rates = new AttentionRates(batchTrial.headWidth, device);
  try {
    const times: number[] = [];
    for (const scoreBytes of scoreSizes) {
      if (times.length > 0 && performance.now() > until) {
        break;
      }
      times.push(await rates.causalMs(batchTrial.rows, batchTrial.blocks, scoreBytes));
    }
    return scoreSizes[times.indexOf(Math.min(...times))];
  } finally {
    await rates.release();
  }
}

/** What surrounds a calibration. */
interface CalibrationContext {
  readonly calibrations: CalibrationStore;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Measures a provider's device and keeps the calibration. `auto` is the CPU, the one that is everywhere.
 *
 * @throws InputError where the provider does not run here; CancelledError
 */
export async function calibrateProvider(
  { provider, threads }: CalibrationOptions,
  { calibrations, signal, onProgress }: CalibrationContext,
): Promise<Calibration> {
  const device = await openDevice(provider, threads);
  const calibration = await calibrate(device, signal, onProgress);
  await calibrations.write(calibration);
  return calibration;
}
