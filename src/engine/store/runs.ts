import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../core/errors';
import { formatBytes } from '../../core/format';
import { optionTable, type SimulationOptions } from '../../core/options/table';
import { reportSchemaVersion, type RunReport } from '../../core/report/report';
import { fieldsOf } from '../read/option-schema';
import { scenarioChoiceSchema } from '../read/report/plan-schema';
import { firstIssue, runReportSchema } from '../read/report/reports';
import { draftEnding, writeWhole } from './files';

/** Where a run's text came from and what was asked of it: what runs it again. */
export interface RunOrigin {
  /** The document's address. */
  readonly uri: string;
  /** 0-based lines and characters of the selection that was run; null for the whole document. */
  readonly selection: {
    readonly startLine: number;
    readonly startCharacter: number;
    readonly endLine: number;
    readonly endCharacter: number;
  } | null;
  readonly options: SimulationOptions;
}

/** A finished run as it is kept. */
export interface KeptRun {
  /** Sorts by the time of the run. */
  readonly id: string;
  /** Null for a run of a version that did not note it, or of a text that no document holds. */
  readonly origin: RunOrigin | null;
  readonly report: RunReport;
}

/** What ids look like: files of another name are not the history's. */
const idPattern = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;

/** The id of a run: when it was and a digest of its report, so that keeping it twice keeps it once. */
export function idOf(report: RunReport): string {
  const time = new Date(report.environment.date).toISOString().replaceAll(/[-:.]/g, '');
  return `${time}-${createHash('sha256').update(JSON.stringify(report)).digest('hex').slice(0, 8)}`;
}

const whole = z.int().nonnegative();

/** Options that came after a run was kept have their defaults. */
const options: z.ZodType<SimulationOptions> = z.object({ scenario: scenarioChoiceSchema, ...fieldsOf(optionTable) });

const origin: z.ZodType<RunOrigin> = z.object({
  uri: z.string(),
  selection: z.object({ startLine: whole, startCharacter: whole, endLine: whole, endCharacter: whole }).nullable(),
  options,
});

/** The file of a run. Its version is the report's. */
const keptRunFile: z.ZodType<Omit<KeptRun, 'id'>> = z.object({
  schemaVersion: z.literal(reportSchemaVersion),
  origin: origin.nullable(),
  report: runReportSchema,
});

/** The content of a run's file. */
function fileOf({ origin: from, report }: Omit<KeptRun, 'id'>): string {
  return `${JSON.stringify({ schemaVersion: reportSchemaVersion, origin: from, report })}\n`;
}

/** Runs that are kept. */
export const runCapacity = 100;

/** The largest file of a run that is read, in bytes: a thousand heads of an average case fit many times. */
export const maximumRunBytes = 8 * 1024 * 1024;

/** A draft this old, in milliseconds, is no longer being written. */
const abandonedMs = 60 * 60 * 1000;

const ending = '.json';

/** What a folder of runs holds. */
interface RunsRead {
  /** Newest first. */
  readonly runs: readonly KeptRun[];
  /** Files that could not be read, each with why, in a sentence. */
  readonly skipped: readonly string[];
}

/**
 * Runs in a folder, a JSON file each, the newest ones only.
 *
 * A file is written whole or not at all, and one that cannot be read is passed over: a crash, another version or another
 * window costs at most the run that it hits.
 */
export class RunFiles {
  constructor(
    private readonly folder: string,
    private readonly capacity = runCapacity,
  ) {}

  /** Every run that can be read. Never throws: what is wrong is said in `skipped`. */
  async read(): Promise<RunsRead> {
    const skipped: string[] = [];
    const read = async (id: string): Promise<KeptRun | undefined> => {
      try {
        return await this.readOne(id);
      } catch (error) {
        skipped.push(`The run ${id} in ${this.folder} is left out: ${messageOf(error)}.`);
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

  /** Keeps a run, and lets go of the oldest ones over the capacity. @throws what the file system says */
  async add(run: KeptRun): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeWhole(this.path(run.id), fileOf(run));
    await this.delete((await this.ids()).slice(this.capacity));
  }

  /** Deletes runs; one that is gone already is fine. @throws what the file system says */
  async delete(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.filter((id) => idPattern.test(id)).map((id) => rm(this.path(id), { force: true })));
  }

  /** Deletes every run, those that cannot be read included. @throws what the file system says */
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

  private async readOne(id: string): Promise<KeptRun> {
    const path = this.path(id);
    const found = await stat(path);
    if (!found.isFile() || found.size > maximumRunBytes) {
      throw new Error(
        found.isFile() ? `it has ${formatBytes(found.size)}, and the limit is ${formatBytes(maximumRunBytes)}` : 'it is no file',
      );
    }
    const parsed = keptRunFile.safeParse(parseJson(await readFile(path, 'utf8')));
    if (!parsed.success) {
      throw new Error(firstIssue(parsed.error));
    }
    const { origin, report } = parsed.data;
    return { id, origin, report };
  }

  /** Removes what a crash left half written. */
  private async removeDrafts(): Promise<void> {
    for (const name of await this.names().catch(() => [])) {
      const path = join(this.folder, name);
      const found = name.endsWith(draftEnding) ? await stat(path).catch(() => undefined) : undefined;
      if (found !== undefined && Date.now() - found.mtimeMs > abandonedMs) {
        await rm(path, { force: true }).catch(() => undefined);
      }
    }
  }

  /** The names in the folder; none where it was not made yet. */
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

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    throw new Error('it is cut short, or no JSON');
  }
}
