import { formatCount } from '../format';
import { t } from '../l10n';

/** What computes: results of two versions are never mixed. */
export interface Versions {
  readonly twoHeads: string;
  readonly onnxruntime: string;
}

/** What a worker has to be for a run: its results are those of one model's content, one version of all that computes, one device. */
export interface Requirement extends Versions {
  /** Hex SHA-256 of the model's files. */
  readonly digest: string;
  /** The model's name, for people. */
  readonly model: string;
  readonly provider: string;
}

/** What a worker says of itself, again and again. Plain data. */
export interface WorkerState {
  /** Of letters, digits and dashes; one of all workers. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly twoHeads: string;
  readonly onnxruntime: string;
  readonly provider: string;
  /** The processor's name, for people. */
  readonly device: string;
  /** What it has on its disk. */
  readonly models: readonly { readonly name: string; readonly digest: string }[];
  /** The row or shard that it measures now; null while it waits. */
  readonly row: string | null;
  /** Rows and shards that it has measured, and the time that they took, in milliseconds. */
  readonly rows: number;
  readonly busyMs: number;
}

/** How a worker's versions differ from others, a few words each; empty where they do not. */
export function versionDifferences({ twoHeads, onnxruntime }: Versions, worker: WorkerState): string[] {
  return [
    ...(worker.twoHeads === twoHeads ? [] : [t('has Two Heads {0}, not {1}', worker.twoHeads, twoHeads)]),
    ...(worker.onnxruntime === onnxruntime ? [] : [t('has ONNX Runtime {0}, not {1}', worker.onnxruntime, onnxruntime)]),
  ];
}

/** Why a worker cannot take a run's work, a few words each; empty where it can. */
export function differences({ digest, model, provider, ...versions }: Requirement, worker: WorkerState): string[] {
  const named = worker.models.find(({ name }) => name === model);
  return [
    ...versionDifferences(versions, worker),
    ...(worker.provider === provider ? [] : [`runs on ${worker.provider}, not ${provider}`]),
    ...(worker.models.some((each) => each.digest === digest)
      ? []
      : [
          named === undefined
            ? `does not have ${model}`
            : `has another ${model} (digest ${named.digest.slice(0, 12)}, not ${digest.slice(0, 12)})`,
        ]),
  ];
}

/** Rows and shards that a worker measures in a minute of work; null before its first. */
export function rowsPerMinute({ rows, busyMs }: Pick<WorkerState, 'rows' | 'busyMs'>): number | null {
  return rows > 0 && busyMs > 0 ? (rows * 60_000) / busyMs : null;
}

/** The workers that can take a run's work. */
export function fitting(requirement: Requirement, workers: readonly WorkerState[]): WorkerState[] {
  return workers.filter((worker) => differences(requirement, worker).length === 0);
}

/** Why no worker takes a run's work, in one line. */
export function whyNone(requirement: Requirement, workers: readonly WorkerState[]): string {
  if (workers.length === 0) {
    return 'no worker is there; start one with two-heads worker';
  }
  const shown = workers.slice(0, mostShown).map((worker) => `${worker.id} ${differences(requirement, worker).join(', ')}`);
  const rest = workers.length - shown.length;
  return `none of ${formatCount(workers.length)} workers fits: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}

const mostShown = 4;
