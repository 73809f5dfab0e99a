import type { CalibrationOptions } from '../../../core/options/options';
import { type Calibration, calibrationSchemaVersion, type LayerRate, type TileRate } from '../../../core/predict/calibration';
import type { OnProgress } from '../../../core/report/phases';
import { compiledScoreBytes } from '../../attend/compiled/graphs';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { type Device, openDevice } from '../../attend/runtime/provider';
import { describeEnvironment } from '../../machine';
import type { CalibrationStore } from '../../store/calibrations';
import { AttentionRates, denseRate } from './attention-rates';
import { layerRate } from './layer-rate';
import { passRate } from './pass-rate';
import { copyBandwidth } from './timing';
import { tokenwiseRate } from './tokenwise-rates';

/** Tile sizes M, head widths m and widths d that are measured; other ones lie between. */
const tileSizes = [32, 64, 128, 256, 512, 1024] as const;
const headWidths = [32, 64, 128] as const;
const widths = [128, 256, 576, 1024] as const;

/** Batches of score tiles that are tried, in bytes. */
const scoreSizes = [1, 2, 4, 8].map((mebibytes) => mebibytes * 1024 * 1024);

/** Where the batch size is chosen: tiles so small that several make a batch, so large that their memory shows. */
const batchTrial = { headWidth: 64, rows: 256, blocks: 24 } as const;

/** Key length of the copy that is timed. */
const gatheredTokens = 16_384;

/**
 * Measures a device: on the CPU what runs of attention calls cost by tile size, token-wise runs by width, and copies; on
 * others what compiled layers cost; and dense attention on all.
 *
 * Takes some seconds. What is timed is what runs: the executor itself, on small layers.
 * @throws CancelledError between two measurements
 */
export async function calibrate(device: Device, signal: AbortSignal, onProgress: OnProgress): Promise<Calibration> {
  const start = performance.now();
  const idleBytes = process.memoryUsage().rss;
  const tilewise = device.provider === 'cpu';
  const steps = headWidths.length + (tilewise ? headWidths.length * tileSizes.length + widths.length + 2 : 1);
  let done = 0;
  const step = (message: string): void => {
    throwIfCancelled(signal);
    onProgress({ fraction: done / steps, phase: 'attend', message });
    done += 1;
  };
  const dense: Calibration['dense'][number][] = [];
  for (const headWidth of headWidths) {
    step(`dense attention, heads of ${headWidth}`);
    dense.push(await denseRate(headWidth, device));
  }
  return {
    schemaVersion: calibrationSchemaVersion,
    provider: device.provider,
    device: device.name,
    threads: device.threads,
    onnxruntime: describeEnvironment().onnxruntime,
    date: new Date().toISOString(),
    ...(tilewise
      ? await tilewiseRates(device, step)
      : { scoreBytes: compiledScoreBytes, tiles: [], gatherNsPerFloat: 0, tokenwise: [], pass: { startMs: 0, factor: 1 } }),
    dense,
    layer: tilewise ? null : await compiledRate(device, step),
    bandwidth: await copyBandwidth(device),
    idleBytes,
    tookMs: performance.now() - start,
  };
}

/** What runs of a few tiles and token-wise runs take: how plans run on the CPU. */
async function tilewiseRates(
  device: Device,
  step: (message: string) => void,
): Promise<Pick<Calibration, 'scoreBytes' | 'tiles' | 'gatherNsPerFloat' | 'tokenwise' | 'pass'>> {
  step('batch size');
  const scoreBytes = await fastestBatch(device);
  const tiles: TileRate[] = [];
  const tokenwise: Calibration['tokenwise'][number][] = [];
  let gatherNsPerFloat = 0;
  for (const headWidth of headWidths) {
    const rates = new AttentionRates(headWidth, device);
    try {
      for (const rows of tileSizes) {
        step(`tiles of ${rows} by ${rows}, heads of ${headWidth}`);
        tiles.push(await rates.measure(rows, scoreBytes));
      }
      gatherNsPerFloat = await rates.gatherNsPerFloat(gatheredTokens);
    } finally {
      await rates.release();
    }
  }
  for (const width of widths) {
    step(`token-wise runs of width ${width}`);
    tokenwise.push(await tokenwiseRate(width, device));
  }
  step('whole passes');
  const pass = await passRate(device, { tiles, gatherNsPerFloat, tokenwise }, scoreBytes);
  return { scoreBytes, tiles, gatherNsPerFloat, tokenwise, pass };
}

/** What compiled layers take: how plans run elsewhere. */
function compiledRate(device: Device, step: (message: string) => void): Promise<LayerRate> {
  step('compiled layers');
  return layerRate(device);
}

/** The batch of score tiles with which a causal layer runs fastest. */
async function fastestBatch(device: Device): Promise<number> {
  const rates = new AttentionRates(batchTrial.headWidth, device);
  try {
    const times: number[] = [];
    for (const scoreBytes of scoreSizes) {
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
