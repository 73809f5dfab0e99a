import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../core/errors';
import { optionTable, type SimulationOptions } from '../../core/options/table';
import { toJson } from '../../core/report/json';
import { reportSchemaVersion, type RunReport } from '../../core/report/report';
import { parseJson } from '../read/input/json';
import { inputLimits } from '../read/input/limits';
import { readRegularText } from '../read/input/text';
import { fieldsOf } from '../read/option-schema';
import { scenarioChoiceSchema } from '../read/report/plan-schema';
import { firstIssue, runReportSchema } from '../read/report/reports';
import { draftEnding, makeFolder, removeFile, writeWhole } from './files';

/** Source and options of a run: what repeating it needs. */
export interface RunOrigin {
  /** The document's URI. */
  readonly uri: string;
  /** The selection's 0-based lines and characters; null for the whole document. */
  readonly selection: {
    readonly startLine: number;
    readonly startCharacter: number;
    readonly endLine: number;
    readonly endCharacter: number;
  } | null;
  /** Where the string literal of a program was that was the prompt, or the cursor outside of all; null where neither mattered. */
  readonly at: number | null;
  readonly options: SimulationOptions;
}

/** A finished run in the history. */
export interface KeptRun {
  /** Sorts by the time of the run. */
  readonly id: string;
  /** Null for a run of a version that did not record it, or of a text without a document. */
  readonly origin: RunOrigin | null;
  readonly report: RunReport;
}

/** The format of ids: files with other names do not belong to the history. */
const idPattern = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;

/** The id of a run: its time and a digest of its report, so that adding it twice stores it once. */
export function idOf(report: RunReport): string {
  const time = new Date(report.environment.date).toISOString().replaceAll(/[-:.]/g, '');
  return `${time}-${createHash('sha256').update(toJson(report)).digest('hex').slice(0, 8)}`;
}

const whole = z.int().nonnegative();

/** Options that came after a run was kept have their defaults. */
const options: z.ZodType<SimulationOptions> = z.object({ scenario: scenarioChoiceSchema, ...fieldsOf(optionTable) });

const origin: z.ZodType<RunOrigin> = z.object({
  uri: z.string(),
  selection: z.object({ startLine: whole, startCharacter: whole, endLine: whole, endCharacter: whole }).nullable(),
  // Runs of earlier versions have none.
  at: whole.nullable().default(null),
  options,
});

/** Schema of a run's file. Its version is the report's. */
const keptRunFile: z.ZodType<Omit<KeptRun, 'id'>> = z.object({
  schemaVersion: z.literal(reportSchemaVersion),
  origin: origin.nullable(),
  report: runReportSchema,
});

/** The content of a run's file. */
function fileOf({ origin: from, report }: Omit<KeptRun, 'id'>): string {
  return `${toJson({ schemaVersion: reportSchemaVersion, origin: from, report })}\n`;
}

/** Most runs in the history. */
export const runCapacity = 100;

/** A draft older than this, in milliseconds, is abandoned. */
const abandonedMs = 60 * 60 * 1000;

const ending = '.json';

/** The result of reading a folder of runs. */
interface RunsRead {
  /** Newest first. */
  readonly runs: readonly KeptRun[];
  /** Files that could not be read, each with the reason, in a sentence. */
  readonly skipped: readonly string[];
}

/**
 * Runs in a folder, one JSON file each; only the newest are kept.
 *
 * Files are written atomically, and unreadable ones are skipped: a crash, another version or another window costs at most
 * the run that it affects.
 */
export class RunFiles {
  constructor(
    private readonly folder: string,
    private readonly capacity = runCapacity,
  ) {}

  /** Every readable run. Never throws: faults are listed in `skipped`. */
  async read(): Promise<RunsRead> {
    const skipped: string[] = [];
    const read = async (id: string): Promise<KeptRun | undefined> => {
      try {
        return await this.readOne(id);
      } catch (error) {
        skipped.push(`A run is left out: ${messageOf(error)}`);
        return undefined;
      }
    };
    const ids = await this.ids().catch((error: unknown) => {
      skipped.push(`The runs in ${this.folder} cannot be listed: ${messageOf(error)}.`);
      return [];
    });
    const runs = await Promise.all(ids.slice(0, this.capacity).map(read));
    await this.removeDrafts();
    return { runs: runs.filter((run) => run !== undefined), skipped };
  }

  /** Adds a run, and deletes the oldest ones above the capacity. @throws file system errors */
  async add(run: KeptRun): Promise<void> {
    await makeFolder(this.folder);
    await writeWhole(this.path(run.id), fileOf(run));
    await this.delete((await this.ids()).slice(this.capacity));
  }

  /** Deletes runs; those already gone are skipped. @throws file system errors */
  async delete(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.filter((id) => idPattern.test(id)).map((id) => removeFile(this.path(id))));
  }

  /** Deletes every run, including unreadable ones. @throws file system errors */
  async clear(): Promise<void> {
    await this.delete(await this.ids());
  }

  /** The ids of all files, newest first. */
  private async ids(): Promise<string[]> {
    const names = await this.names();
    const ids = names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
    return ids
      .filter((id) => idPattern.test(id))
      .sort()
      .reverse();
  }

  /** @throws InputError that names the file */
  private async readOne(id: string): Promise<KeptRun> {
    const path = this.path(id);
    const fix = 'delete it';
    const parsed = keptRunFile.safeParse(parseJson(await readRegularText(path, inputLimits.run, fix, fix), path, fix));
    if (!parsed.success) {
      throw new InputError(`${path}: ${firstIssue(parsed.error)}; ${fix}.`);
    }
    const { origin, report } = parsed.data;
    return { id, origin, report };
  }

  /** Removes unfinished files that a crash left behind. */
  private async removeDrafts(): Promise<void> {
    for (const name of await this.names().catch(() => [])) {
      const path = join(this.folder, name);
      const found = name.endsWith(draftEnding) ? await stat(path).catch(() => undefined) : undefined;
      if (found !== undefined && Date.now() - found.mtimeMs > abandonedMs) {
        await removeFile(path).catch(() => undefined);
      }
    }
  }

  /** The names in the folder; empty if it does not exist yet. */
  private async names(): Promise<string[]> {
    return readdir(this.folder).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return [];
      }
      throw error;
    });
  }

  private path(id: string): string {
    return join(this.folder, `${id}${ending}`);
  }
}
