import { said, text } from '../../core/l10n';
import { stat } from 'node:fs/promises';
import { cpus, homedir, platform } from 'node:os';
import { join } from 'node:path';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import * as z from 'zod';
import { wordsOf } from '../../core/options/option';
import { optionTable, type Provider } from '../../core/options/table';
import { type Calibration, calibrationSchemaVersion, denseOperators } from '../../core/predict/calibration';
import { toJson } from '../../core/report/json';
import { machineLoad } from '../load';
import { parseJson } from '../read/input/json';
import { inputLimits } from '../read/input/limits';
import { readRegularText } from '../read/input/text';
import { makeFolder, writeWhole } from './files';

/** The largest number of any unit that a machine may have: milliseconds, nanoseconds, operations or bytes a second. */
const largest = 1e18;
/** The longest that anything measured may take, in milliseconds or nanoseconds: products of it with a plan's counts stay finite. */
const longest = 1e9;
/** The largest residual that says anything of the next run, as a relative difference. */
const largestError = 10;
const mostCores = 65_536;

const amount = z.number().nonnegative().max(longest);
const size = z.number().positive().max(largest);
const runRate = z.object({ runMs: amount, nsPerFlop: amount });
const fit = z
  .object({ samples: z.int().nonnegative(), unknowns: z.int().nonnegative(), error: z.number().nonnegative().max(largestError) })
  .refine(({ samples, unknowns }) => samples >= unknowns);
const range = z.object({ from: size, to: size }).refine(({ from, to }) => from <= to);

/** How far a calibration may lie in the future, in milliseconds: clocks are set back by hours, not by days. */
const clockTolerance = 24 * 3600 * 1000;
const time = z.iso.datetime().refine((date) => Date.parse(date) <= Date.now() + clockTolerance);

/** How much faster than the device's best product a tile may be: rates are fitted below 1.25 of it, and then rounded. */
const peakMargin = 1.3;

/** Schema of a calibration file. A file with other content is no calibration. */
const calibrationFile: z.ZodType<Calibration> = z
  .object({
    schemaVersion: z.literal(calibrationSchemaVersion),
    provider: z.enum(wordsOf(optionTable.provider)).exclude(['auto']),
    device: z.string(),
    threads: z.number().int().positive(),
    onnxruntime: z.string(),
    date: time,
    tookMs: amount,
    load: z.object({ cores: size.max(mostCores), others: amount, spread: amount.max(largestError), busy: z.boolean() }),
    peakFlops: size,
    refused: z.number().int().nonnegative(),
    leftOut: z.number().int().nonnegative().exactOptional(),
    sampled: z.object({ tokens: range, rows: range, width: range, headWidth: range, layers: range }),
    scoreBytes: size,
    tiles: z.array(z.object({ rows: size, headWidth: size, runMs: amount, firstMs: amount, openMs: size, maskedMs: amount, fit })),
    gatherNsPerFloat: amount,
    tokenwise: z.array(z.object({ width: size, project: runRate.extend({ fit }), outputAndMlp: runRate.extend({ fit }) })),
    pass: z.object({ startMs: amount, attendFactor: size.max(longest), tokenwiseFactor: size.max(longest), fit }),
    dense: z.array(
      z.object({
        operator: z.enum(denseOperators),
        headWidth: size,
        callMs: amount,
        nsPerToken: amount,
        nsPerPair: amount,
        tokens: range,
        fit,
      }),
    ),
    layer: z.object({ layerMs: amount, attendNsPerFlop: amount, tokenwiseNsPerFlop: amount, fit }).nullable(),
    bandwidth: size,
    idleBytes: z.number().nonnegative().max(largest),
  })
  .refine(({ layer, tiles, tokenwise }) => layer !== null || (tiles.length > 0 && tokenwise.length > 0))
  .refine(({ tiles, peakFlops }) =>
    tiles.every(({ rows, headWidth, openMs }) => 4 * rows ** 2 * headWidth * 1000 <= peakMargin * peakFlops * openMs),
  );

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
 * A calibration from another version of ONNX Runtime or another processor no longer describes the device and is not used.
 */
export class CalibrationStore {
  constructor(private readonly folder: string) {}

  /** The calibration of a provider on this machine, if there is one. @param threads 0 for every core */
  async read(provider: Exclude<Provider, 'auto'>, threads: number): Promise<Calibration | undefined> {
    const found = await this.find(provider, threads);
    return found?.calibration;
  }

  /** Writes a calibration atomically. */
  async write(calibration: Calibration): Promise<string> {
    await makeFolder(this.folder);
    const path = this.path(calibration.provider, calibration.threads);
    await writeWhole(path, `${toJson({ ...calibration, now: undefined }, 2)}\n`);
    return path;
  }

  /** The calibrations that a choice of provider allows: the named provider's, or under `auto` all. */
  async candidates(provider: Provider, threads: number): Promise<readonly Calibration[]> {
    const known = await Promise.all(providersOf(provider).map((name) => this.read(name, threads)));
    return known.filter((calibration) => calibration !== undefined);
  }

  /** `candidates`, with how busy others keep the machine now. Takes a moment where there are any. */
  async candidatesNow(provider: Provider, threads: number): Promise<readonly Calibration[]> {
    const candidates = await this.candidates(provider, threads);
    if (candidates.length === 0) {
      return candidates;
    }
    const now = await machineLoad();
    return candidates.map((calibration) => ({ ...calibration, now }));
  }

  /** Why calibrations that are there are not used, a sentence with the fix for each provider that a choice allows. */
  async obstacles(provider: Provider, threads: number): Promise<readonly string[]> {
    const found = await Promise.all(
      providersOf(provider).map(async (name) => ({ name, reason: (await this.find(name, threads))?.obstacle })),
    );
    return found.flatMap(({ name, reason }) =>
      reason === undefined
        ? []
        : [
            said`The calibration of ${name} is not used, since ${reason}: run two-heads calibrate${name === 'cpu' ? '' : ` --provider ${name}`} again.`,
          ],
    );
  }

  /** A calibration that may be used, or why one is not; undefined where there is no file. */
  private async find(
    provider: Exclude<Provider, 'auto'>,
    threads: number,
  ): Promise<{ readonly calibration?: Calibration; readonly obstacle?: string } | undefined> {
    const path = this.path(provider, threadsOf(threads));
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    if (!there) {
      return undefined;
    }
    const content = await this.content(path).catch(() => undefined);
    const version = z.looseObject({ schemaVersion: z.number() }).safeParse(content).data?.schemaVersion;
    if (version !== undefined && version !== calibrationSchemaVersion) {
      return {
        obstacle:
          version < calibrationSchemaVersion
            ? text('an earlier version of Two Heads made it')
            : text('a later version of Two Heads made it'),
      };
    }
    const calibration = calibrationFile.safeParse(content).data;
    if (calibration === undefined || calibration.provider !== provider || calibration.threads !== threadsOf(threads)) {
      return { obstacle: said`${path} has other content than a calibration` };
    }
    if (calibration.onnxruntime !== onnxruntime) {
      return { obstacle: said`it is of ONNX Runtime ${calibration.onnxruntime}, and this is ${onnxruntime}` };
    }
    return provider === 'cpu' && calibration.device !== cpus()[0]?.model.trim()
      ? { obstacle: said`it is of another processor, ${calibration.device}` }
      : { calibration };
  }

  /** The JSON of a calibration file. @throws InputError where there is none that can be read */
  private async content(path: string): Promise<unknown> {
    const fix = text('calibrate again');
    return parseJson(await readRegularText(path, inputLimits.calibration, fix, fix), path, fix);
  }

  private path(provider: string, threads: number): string {
    return join(this.folder, `calibration-${provider}-${threads}.json`);
  }
}

/** The providers that a choice allows. */
function providersOf(provider: Provider): readonly Exclude<Provider, 'auto'>[] {
  const names = provider === 'auto' ? wordsOf(optionTable.provider) : [provider];
  return names.flatMap((name) => (name === 'auto' ? [] : [name]));
}
