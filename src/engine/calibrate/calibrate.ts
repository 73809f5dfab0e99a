import { calibrationSchemaVersion, type Calibration, type TileRate } from '../../core/device/calibration';
import type { OnProgress } from '../../core/report/progress';
import { describeEnvironment } from '../environment';
import { throwIfCancelled } from '../run/cancel';
import type { Device } from '../runtime/provider';
import { AttentionRates } from './attention-rates';
import { copyBandwidth } from './bandwidth';
import { denseRate } from './dense-rate';
import { tokenwiseRate } from './tokenwise-rates';

/** Tile sizes M, head widths m and widths d that are measured; other ones lie between. */
const tileSizes = [32, 64, 128, 256, 512, 1024] as const;
const headWidths = [32, 64, 128] as const;
const widths = [128, 256, 512, 1024] as const;

/** Batches of score tiles that are tried, in bytes. */
const scoreSizes = [2, 4, 8, 16].map((mebibytes) => mebibytes * 1024 * 1024);

/** Where the batch size is chosen: tiles so small that several make a batch, so large that their memory shows. */
const batchTrial = { headWidth: 64, rows: 256, blocks: 24 } as const;

/** Key length of the copy that is timed. */
const gatheredTokens = 16_384;

/**
 * Measures a device: what runs of attention calls cost by tile size, token-wise runs by width, copies, and dense attention.
 *
 * Takes some seconds. What is timed is what runs: the executor itself, on small layers.
 * @throws CancelledError between two measurements
 */
export async function calibrate(device: Device, signal: AbortSignal, onProgress: OnProgress): Promise<Calibration> {
  const start = performance.now();
  const idleBytes = process.memoryUsage().rss;
  const steps = headWidths.length * (tileSizes.length + 1) + widths.length + 1;
  let done = 0;
  const step = (message: string): void => {
    throwIfCancelled(signal);
    onProgress({ fraction: done / steps, phase: 'attend', message });
    done += 1;
  };

  const tiles: TileRate[] = [];
  const dense: Calibration['dense'][number][] = [];
  step('batch size');
  const scoreBytes = await fastestBatch(device);
  let gatherNsPerFloat = 0;
  for (const headWidth of headWidths) {
    const rates = await AttentionRates.create(headWidth, device);
    try {
      for (const rows of tileSizes) {
        step(`tiles of ${rows} by ${rows}, heads of ${headWidth}`);
        tiles.push(await rates.measure(rows, scoreBytes));
      }
      gatherNsPerFloat = await rates.gatherNsPerFloat(gatheredTokens);
    } finally {
      await rates.release();
    }
    step(`dense attention, heads of ${headWidth}`);
    dense.push(await denseRate(headWidth, device));
  }
  const tokenwise: Calibration['tokenwise'][number][] = [];
  for (const width of widths) {
    step(`token-wise runs of width ${width}`);
    tokenwise.push(await tokenwiseRate(width, device));
  }
  const bandwidth = await copyBandwidth(device);
  return {
    schemaVersion: calibrationSchemaVersion,
    provider: device.provider,
    device: device.name,
    threads: device.threads,
    onnxruntime: describeEnvironment().onnxruntime,
    date: new Date().toISOString(),
    tookMs: performance.now() - start,
    scoreBytes,
    tiles,
    gatherNsPerFloat,
    tokenwise,
    dense,
    bandwidth,
    idleBytes,
  };
}

/** The batch of score tiles with which a causal layer runs fastest. */
async function fastestBatch(device: Device): Promise<number> {
  const rates = await AttentionRates.create(batchTrial.headWidth, device);
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
