import * as vscode from 'vscode';
import type { ComparisonReport, RunReport } from '../../core/report/report';
import type { CallOptions } from '../../engine/process/client';
import type { EngineClient } from '../../engine/process/engine-client';
import type { EngineMethods } from '../../engine/process/engine-methods';
import type { Argument, MethodName, Result } from '../../engine/process/rpc';
import { Disposable } from '../disposable';
import type { ModelAccess } from '../prompts/models';

type EngineMethod = MethodName<EngineMethods>;

/** The extension's access to the engine process: checks that a model may be loaded, and reports every finished run. */
export class Engine extends Disposable {
  private readonly finished = this.own(new vscode.EventEmitter<RunReport>());
  readonly onDidFinishRun = this.finished.event;

  constructor(
    private readonly client: EngineClient,
    private readonly access: ModelAccess,
  ) {
    super();
    this.own(client);
  }

  /** Calls a method like `EngineClient`. @throws also an InputError for a model that may not be loaded */
  async call<M extends EngineMethod>(
    method: M,
    argument: Argument<EngineMethods, M>,
    options: CallOptions = {},
  ): Promise<Result<EngineMethods, M>> {
    const given: Argument<EngineMethods, EngineMethod> = argument;
    if ('row' in given) {
      await this.access.check(given.model);
    } else if ('options' in given) {
      await this.access.check(given.options.model);
    } else if ('experiment' in given) {
      await this.access.check(given.experiment.model);
    } else if ('file' in given) {
      this.access.checkExperimentFile();
    }
    const onRun = (report: RunReport): void => {
      this.finished.fire(report);
      options.onRun?.(report);
    };
    const result = await this.client.call(method, argument, { ...options, onRun });
    if (isRunReport(result)) {
      this.finished.fire(result);
    }
    return result;
  }

  /**
   * Runs a comparison, and keeps each of its runs as it ends: those before a cancel or a failure are not lost.
   *
   * @throws like `call`, once all that had ended is kept
   */
  async compare(
    request: Argument<EngineMethods, 'compare'>,
    options: CallOptions,
    keep: (report: RunReport) => Promise<void>,
  ): Promise<ComparisonReport> {
    const kept: Promise<void>[] = [];
    try {
      return await this.call('compare', request, { ...options, onRun: (report) => void kept.push(keep(report)) });
    } finally {
      await Promise.all(kept);
    }
  }
}

function isRunReport(result: Result<EngineMethods, EngineMethod>): result is RunReport {
  return typeof result === 'object' && result !== null && 'fidelity' in result;
}
