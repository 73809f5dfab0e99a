import { formatCount } from '../format';

/** What a worker has to be for a run: its results are those of one model's content, one version of all that computes, one device. */
export interface Requirement {
  readonly twoHeads: string;
  readonly onnxruntime: string;
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

/** Why a worker cannot take a run's work, a few words each; empty where it can. */
export function differences({ twoHeads, onnxruntime, digest, model, provider }: Requirement, worker: WorkerState): string[] {
  const named = worker.models.find(({ name }) => name === model);
  return [
    ...(worker.twoHeads === twoHeads ? [] : [`has Two Heads ${worker.twoHeads}, not ${twoHeads}`]),
    ...(worker.onnxruntime === onnxruntime ? [] : [`has ONNX Runtime ${worker.onnxruntime}, not ${onnxruntime}`]),
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
