import type { Experiment } from '../../core/evaluate/experiment';
import { describeEnvironment } from '../environment';
import type { ModelFolder } from '../read/model/load';
import { Evaluator } from '../tasks/evaluate/evaluator';
import { modelDigest } from './model-digest';
import type { PointPlanner } from '../tasks/evaluate/points';
import type { ExperimentContext } from '../tasks/evaluate/run-experiment';
import type { Job, WorkContext } from '../tasks/evaluate/work';

/** What runs the work of an experiment: a model that is loaded when the first unit needs it. */
export class Worker {
  private opened: Promise<Evaluator> | undefined;
  private highest = 0;

  private constructor(
    private readonly model: ModelFolder,
    private readonly experiment: Experiment,
    private readonly work: Omit<WorkContext, 'evaluator' | 'onWork'>,
    private readonly onProgress: ExperimentContext['onProgress'],
  ) {}

  /** @param tokens of the longest window, for which the fastest device is chosen where none is named */
  static async prepare(
    model: ModelFolder,
    asked: Experiment,
    baseline: Job,
    planner: PointPlanner,
    tokens: number,
    { results, signal, onProgress }: ExperimentContext,
  ): Promise<Worker> {
    const provider =
      asked.provider === 'auto' ? (planner.device(tokens, baseline.scenario, baseline.blockSize)?.provider ?? 'cpu') : asked.provider;
    const { threads, executor, precision, construction } = asked;
    const { twoHeads, onnxruntime } = describeEnvironment();
    // Reading all weights for their digest is worth it only where results may be those of other weights.
    const digest = asked.quality && results.kept ? await modelDigest(model.folder) : model.name;
    const identity = { model: digest, twoHeads, onnxruntime, provider, threads, executor, precision, construction, baseline };
    return new Worker(model, { ...asked, provider }, { baseline, planner, results, identity, signal }, onProgress);
  }

  /** The surroundings of work that is a part of the whole: progress goes from `from` on, by `share`. */
  part(from: number, share: number): WorkContext {
    return {
      ...this.work,
      evaluator: () => (this.opened ??= Evaluator.open(this.model, this.experiment, this.work.signal)),
      onWork: (part, message) => {
        this.highest = Math.max(this.highest, Math.min(1, from + share * part));
        this.onProgress({ fraction: this.highest, phase: 'quality', message });
      },
    };
  }

  async release(): Promise<void> {
    // A model that could not be opened has nothing to release, and its error is on its way.
    await (await this.opened?.catch(() => undefined))?.release();
  }
}
