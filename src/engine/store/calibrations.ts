import { mkdir } from 'node:fs/promises';
import { cpus, homedir, platform } from 'node:os';
import { join } from 'node:path';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import { z } from 'zod';
import { wordsOf } from '../../core/options/option';
import { optionTable, type Provider } from '../../core/options/table';
import { type Calibration, calibrationSchemaVersion } from '../../core/predict/calibration';
import { parseJson } from '../read/input/json';
import { inputLimits } from '../read/input/limits';
import { readRegularText } from '../read/input/text';
import { writeWhole } from './files';

const amount = z.number().nonnegative();
const runRate = z.object({ runMs: amount, nsPerFlop: amount });

/** Schema of a calibration file. A file with other content is ignored. */
const calibrationFile: z.ZodType<Calibration> = z.object({
  schemaVersion: z.literal(calibrationSchemaVersion),
  provider: z.enum(wordsOf(optionTable.provider)).exclude(['auto']),
  device: z.string(),
  threads: z.number().int().positive(),
  onnxruntime: z.string(),
  date: z.string(),
  tookMs: amount,
  scoreBytes: z.number().positive(),
  tiles: z.array(
    z.object({
      rows: z.number().positive(),
      headWidth: z.number().positive(),
      runMs: amount,
      firstMs: amount,
      openMs: amount,
      maskedMs: amount,
    }),
  ),
  gatherNsPerFloat: amount,
  tokenwise: z.array(z.object({ width: z.number().positive(), project: runRate, outputAndMlp: runRate })),
  pass: z.object({ startMs: amount, factor: z.number().positive() }),
  dense: z.array(z.object({ headWidth: z.number().positive(), nsPerPair: amount })).min(1),
  layer: z.object({ layerMs: amount, attendNsPerFlop: amount, tokenwiseNsPerFlop: amount }).nullable(),
  bandwidth: amount,
  idleBytes: amount,
});

/** The command line's storage folder on this platform. */
export function commandLineStorage(environment: NodeJS.ProcessEnv = process.env): string {
  const home = homedir();
  const standard = { win32: environment.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), darwin: join(home, 'Library', 'Caches') };
  const caches =
    platform() === 'win32' || platform() === 'darwin'
      ? standard[platform() as 'win32' | 'darwin']
      : (environment.XDG_CACHE_HOME ?? join(home, '.cache'));
  return join(caches, 'two-heads');
}

/** Threads of a run: the requested number, or every core. */
export function threadsOf(threads: number): number {
  return threads > 0 ? threads : Math.max(1, cpus().length);
}

/**
 * Stores calibrations in a folder of Two Heads' own, one file per provider and number of threads.
 *
 * A calibration from another version of ONNX Runtime or another processor no longer describes the device and is ignored.
 */
export class CalibrationStore {
  constructor(private readonly folder: string) {}

  /** The calibration of a provider on this machine, if there is one. @param threads 0 for every core */
  async read(provider: Exclude<Provider, 'auto'>, threads: number): Promise<Calibration | undefined> {
    const content = await this.content(this.path(provider, threadsOf(threads))).catch(() => undefined);
    const parsed = calibrationFile.safeParse(content).data;
    const sameMachine = parsed?.onnxruntime === onnxruntime && (provider !== 'cpu' || parsed.device === cpus()[0]?.model.trim());
    return sameMachine ? parsed : undefined;
  }

  /** Writes a calibration atomically. */
  async write(calibration: Calibration): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    const path = this.path(calibration.provider, calibration.threads);
    await writeWhole(path, `${JSON.stringify(calibration, null, 2)}\n`);
    return path;
  }

  /** The calibrations that a choice of provider allows: the named provider's, or under `auto` all. */
  async candidates(provider: Provider, threads: number): Promise<readonly Calibration[]> {
    const names = provider === 'auto' ? wordsOf(optionTable.provider) : [provider];
    const known = await Promise.all(names.map((name) => (name === 'auto' ? Promise.resolve(undefined) : this.read(name, threads))));
    return known.filter((calibration) => calibration !== undefined);
  }

  /** The JSON of a calibration file. @throws InputError where there is none; the calibration is ignored then */
  private async content(path: string): Promise<unknown> {
    const fix = 'calibrate again';
    return parseJson(await readRegularText(path, inputLimits.calibration, fix, fix), path, fix);
  }

  private path(provider: string, threads: number): string {
    return join(this.folder, `calibration-${provider}-${threads}.json`);
  }
}
