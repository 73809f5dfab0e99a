import type { Experiment } from '../../../core/evaluate/experiment';
import { type Job, type Row, sameJob, type Unit } from '../../../core/evaluate/units';
import { makePlan } from '../../../core/plan/plan';
import { settleRequest } from '../../../core/predict/fastest';
import type { Fidelity } from '../../../core/report/report';
import { scenarioLabel } from '../../../core/scenario/scenario';
import { touchedPositions } from '../../../core/scenario/touched';
import { checkLength, checkToken } from '../../attend/tiles/embed';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { interruptible } from '../../interruptible';
import { type ModelFolder, openModel } from '../../read/model/load';
import { Evaluator, type WindowRun } from './evaluator';
import type { UnitResult } from './results';

/** What all rows of an experiment are measured with; plain data. Device and block sizes are settled. */
export interface MeasureOptions extends Pick<
  Experiment,
  'provider' | 'threads' | 'executor' | 'precision' | 'construction' | 'oracleLayers' | 'oracleHeads'
> {
  /** The model's own attention, which every unit is held against. */
  readonly baseline: Job;
  /** How that is computed; absent where it is by the same tiles, as in results of versions that had nothing else. */
  readonly baselineBy?: 'dense' | undefined;
  /** What packed weights are multiplied with; absent where in float32, for the same reason. */
  readonly activations?: Exclude<Experiment['activations'], 'float32'> | undefined;
}

/** A row to measure with one model, in whichever process; plain data. */
export interface MeasureRequest {
  /** The model's folder. */
  readonly model: string;
  readonly options: MeasureOptions;
  readonly row: Row;
}

/** What a unit gave; plain data. */
export interface MeasuredUnit {
  /** The unit's id. */
  readonly unit: string;
  readonly result: UnitResult;
}

/** Listeners of a row that is measured. */
interface RowListeners {
  /** Takes every result as soon as it is there; the next unit waits for it. */
  readonly onResult: (unit: Unit, result: UnitResult) => Promise<void>;
  /** @param share of the row, from 0 to 1 @param label of the scenario that is run */
  readonly onProgress: (share: number, label: string) => void;
  readonly signal: AbortSignal;
}

/** Measures rows with one model, which is loaded when the first row comes. One row at a time. */
export class Measurer {
  private opened: Promise<Evaluator> | undefined;

  constructor(
    private readonly model: ModelFolder,
    private readonly options: MeasureOptions,
  ) {}

  /**
   * Runs a row's sequence under the baseline and every job, and scores it.
   *
   * @throws InputError where the model or the device cannot be had, or the memory does not suffice; CancelledError
   */
  async measure({ tokens, scoring, units }: Row, { onResult, onProgress, signal }: RowListeners): Promise<void> {
    this.opened ??= Evaluator.open(this.model, this.options);
    const evaluator = await this.opened;
    const dense = this.options.baselineBy === 'dense';
    const isBaseline = ({ job }: Unit): boolean => !dense && sameJob(job, this.options.baseline);
    const runs = 1 + units.filter((unit) => !isBaseline(unit)).length;
    let done = 0;
    const run = async (job: Job, how: 'run' | 'runDense' = 'run'): Promise<WindowRun> => {
      throwIfCancelled(signal);
      const label = scenarioLabel(job.scenario);
      const { request } = settleRequest(tokens.length, this.model.config.shape, { ...this.options, ...job }, []);
      const plan = interruptible(() => makePlan(request));
      const result = await evaluator[how](tokens, plan, signal, (share) => onProgress((done + share) / runs, label));
      done += 1;
      return result;
    };
    const baseline = await run(this.options.baseline, dense ? 'runDense' : 'run');
    for (const unit of units) {
      const own = isBaseline(unit) ? baseline : await run(unit.job);
      const { wallMs, calls, predictions } = own;
      // Once its predictions are scored, and with them checked.
      const fidelity = (): Fidelity | undefined => own.fidelity && (predictions?.joinedTo(own.fidelity) ?? own.fidelity);
      if (scoring.kind === 'retrieval') {
        const answer = await evaluator.answer(own, scoring.row, scoring.answer);
        await onResult(unit, { ...answer, fidelity: fidelity() });
        continue;
      }
      const touched = interruptible(() => touchedPositions(unit.job.scenario, this.model.config.shape, tokens.length));
      const summary = await evaluator.compare(scoring, { ...own, touched }, baseline.hidden, signal);
      const ofBaseline = own === baseline ? {} : { baselineFidelity: baseline.fidelity };
      await onResult(unit, { summary, wallMs, calls, fidelity: fidelity(), ...ofBaseline });
    }
  }

  async release(): Promise<void> {
    // A model that could not be opened has nothing to release, and its error is on its way.
    await (await this.opened?.catch(() => undefined))?.release();
  }
}

/** Measures rows of any experiment, one at a time; the model of the last one stays loaded for the next. */
export class WarmMeasurer {
  private warm: { readonly key: string; readonly model: ModelFolder; readonly measurer: Measurer } | undefined;
  /** The row before, whatever became of it. */
  private last: Promise<unknown> = Promise.resolve();

  /** Measures a row; its units' results come in their order. @throws InputError for what cannot be measured, CancelledError */
  measure(request: MeasureRequest, listeners: Omit<RowListeners, 'onResult'>): Promise<MeasuredUnit[]> {
    const mine = this.last.then(() => this.measureNow(request, listeners));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async measureNow({ model, options, row }: MeasureRequest, listeners: Omit<RowListeners, 'onResult'>): Promise<MeasuredUnit[]> {
    throwIfCancelled(listeners.signal);
    const key = JSON.stringify([model, options]);
    if (this.warm?.key !== key) {
      await this.release();
      const opened = await openModel(model, '');
      this.warm = { key, model: opened, measurer: new Measurer(opened, options) };
    }
    const { name, config } = this.warm.model;
    // A row that another machine planned.
    checkLength(row.tokens.length, { name, ...config });
    const { scoring } = row;
    (scoring.kind === 'retrieval' ? scoring.answer : (scoring.targets ?? [])).forEach((token) => checkToken(token, { name, ...config }));
    const measured: MeasuredUnit[] = [];
    try {
      await this.warm.measurer.measure(row, {
        ...listeners,
        onResult: ({ id }, result) => {
          measured.push({ unit: id, result });
          return Promise.resolve();
        },
      });
    } catch (error) {
      // What failed is opened anew: its device may be what failed.
      await this.release();
      throw error;
    }
    return measured;
  }

  private async release(): Promise<void> {
    const { warm } = this;
    this.warm = undefined;
    await warm?.measurer.release();
  }
}
