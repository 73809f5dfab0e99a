import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError, messageOf } from '../../core/errors';
import { formatBytes } from '../../core/format';
import { optionTable, type SimulationOptions } from '../../core/options/table';
import {
  dateOf,
  type LabRecord,
  type LabResult,
  type RecordKind,
  recordKinds,
  type RecordOf,
  type RunOrigin,
} from '../../core/record/record';
import { toJson } from '../../core/report/json';
import { reportSchemaVersion } from '../../core/report/report';
import { parseJson } from '../read/input/json';
import { inputLimits } from '../read/input/limits';
import { readRegularText } from '../read/input/text';
import { fieldsOf } from '../read/option-schema';
import { scenarioChoiceSchema } from '../read/report/plan-schema';
import {
  adviceReportSchema,
  atlasReportSchema,
  comparisonReportSchema,
  experimentSummarySchema,
  generationReportSchema,
  ledgerReportSchema,
} from '../read/report/record-schemas';
import { firstIssue, runReportSchema } from '../read/report/reports';
import { draftEnding, makeFolder, removeFile, writeWhole } from './files';

/**
 * The format of ids: files with other names do not belong to the history. That of a run has no kind, as before there were others; a
 * version that knows runs alone leaves the others where they are.
 */
const idPattern = new RegExp(`^\\d{8}T\\d{9}Z-[0-9a-f]{8}(?:-(${recordKinds.filter((kind) => kind !== 'run').join('|')}))?$`);

/** A result with its id: its time, a digest, so that adding it twice stores it once, and its kind. */
export function recordOf(result: LabResult): LabRecord {
  const time = new Date(dateOf(result)).toISOString().replaceAll(/[-:.]/g, '');
  const digest = createHash('sha256').update(toJson(result.report)).digest('hex').slice(0, 8);
  return { ...result, id: `${time}-${digest}${result.kind === 'run' ? '' : `-${result.kind}`}` };
}

/** The kind of the record with this id; undefined where it is none. */
function kindOf(id: string): RecordKind | undefined {
  const match = idPattern.exec(id);
  // A group that took no part in a match is undefined, whatever its type says.
  return match === null ? undefined : ((match[1] as RecordKind | undefined) ?? 'run');
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

/** The version of a record's file, which is the report's. */
const versioned = z.object({ schemaVersion: z.literal(reportSchemaVersion) });

/** Schema of a record in its file. Files of versions that knew runs alone name no kind. */
function fileSchema<Kind extends RecordKind>(kind: Kind, report: z.ZodType<RecordOf<Kind>['report']>) {
  return z.object({
    kind: kind === 'run' ? z.literal(kind).default(kind) : z.literal(kind),
    origin: origin.nullable(),
    report,
  });
}

const fileSchemas: { readonly [Kind in RecordKind]: z.ZodType<Omit<RecordOf<Kind>, 'id'>> } = {
  run: fileSchema('run', runReportSchema),
  comparison: fileSchema('comparison', comparisonReportSchema),
  evaluation: fileSchema('evaluation', experimentSummarySchema).extend({ file: z.string().nullable() }),
  ledger: fileSchema('ledger', ledgerReportSchema),
  atlas: fileSchema('atlas', atlasReportSchema),
  continuation: fileSchema('continuation', generationReportSchema),
  advice: fileSchema('advice', adviceReportSchema),
};

/** Most records of each kind in the history. Atlases are large, and all records are in memory. */
export const recordCapacity: Readonly<Record<RecordKind, number>> = {
  run: 100,
  comparison: 50,
  evaluation: 50,
  ledger: 20,
  atlas: 10,
  continuation: 50,
  advice: 50,
};

/** Most bytes of a record's file. */
function limitOf(kind: RecordKind): number {
  return kind === 'run' ? inputLimits.run : inputLimits.record;
}

/** The newest records of each kind, as many as there is room for. @param ids newest first */
export function newestOfEachKind<Each>(
  ids: readonly Each[],
  kind: (each: Each) => RecordKind | undefined,
  capacity = recordCapacity,
): Each[] {
  const left = { ...capacity };
  return ids.filter((each) => {
    const own = kind(each);
    return own !== undefined && left[own]-- > 0;
  });
}

/** A draft older than this, in milliseconds, is abandoned. */
const abandonedMs = 60 * 60 * 1000;

const ending = '.json';

/** The result of reading a folder of records. */
interface RecordsRead {
  /** Newest first. */
  readonly records: readonly LabRecord[];
  /** Files that could not be read, each with the reason, in a sentence. */
  readonly skipped: readonly string[];
}

/**
 * Results in a folder, one JSON file each; only the newest of each kind are kept.
 *
 * Files are written atomically, and unreadable ones are skipped: a crash, another version or another window costs at most
 * the record that it affects.
 */
export class RecordFiles {
  constructor(
    private readonly folder: string,
    private readonly capacity = recordCapacity,
  ) {}

  /** Every readable record. Never throws: faults are listed in `skipped`. */
  async read(): Promise<RecordsRead> {
    const skipped: string[] = [];
    const ids = await this.ids().catch((error: unknown) => {
      skipped.push(`The runs in ${this.folder} cannot be listed: ${messageOf(error)}.`);
      return [];
    });
    const records: LabRecord[] = [];
    // One after another: what reads them does other work in between.
    for (const id of newestOfEachKind(ids, kindOf, this.capacity)) {
      try {
        records.push(await this.readOne(id));
      } catch (error) {
        skipped.push(`A ${kindOf(id) ?? 'run'} is left out: ${messageOf(error)}`);
      }
    }
    await this.removeDrafts();
    return { records, skipped };
  }

  /** Adds a record, and deletes the oldest ones of its kind above the capacity. @throws file system errors, and an InputError for one that is too large */
  async add({ id, ...result }: LabRecord): Promise<void> {
    const content = `${toJson({ schemaVersion: reportSchemaVersion, ...result })}\n`;
    const [bytes, limit] = [Buffer.byteLength(content), limitOf(result.kind)];
    if (bytes > limit) {
      throw new InputError(`it has ${formatBytes(bytes)}, and the limit is ${formatBytes(limit)}`);
    }
    await makeFolder(this.folder);
    await writeWhole(this.path(id), content);
    const ids = await this.ids();
    const kept = new Set(newestOfEachKind(ids, kindOf, this.capacity));
    await this.delete(ids.filter((each) => !kept.has(each)));
  }

  /** Deletes records; those already gone are skipped. @throws file system errors */
  async delete(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.filter((id) => idPattern.test(id)).map((id) => removeFile(this.path(id))));
  }

  /** Deletes every record, including unreadable ones. @throws file system errors */
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
  private async readOne(id: string): Promise<LabRecord> {
    const path = this.path(id);
    const kind = kindOf(id) ?? 'run';
    const fix = 'delete it';
    const document = parseJson(await readRegularText(path, limitOf(kind), fix, fix), path, fix);
    const [version, parsed] = [versioned.safeParse(document), fileSchemas[kind].safeParse(document)];
    const fault = version.error ?? parsed.error;
    if (fault !== undefined) {
      throw new InputError(`${path}: ${firstIssue(fault)}; ${fix}.`);
    }
    return { ...parsed.data, id } as LabRecord;
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
