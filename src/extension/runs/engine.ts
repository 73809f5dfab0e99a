import * as vscode from 'vscode';
import type { RunReport } from '../../core/report/report';
import type { CallOptions, EngineClient } from '../../engine/process/client';
import type { Argument, MethodName, Result } from '../../engine/process/rpc';
import { Disposable } from '../disposable';

/** The engine process as the extension calls it: tells of every run that ends, whoever asked for it. */
export class Engine extends Disposable {
  private readonly finished = this.own(new vscode.EventEmitter<RunReport>());
  readonly onDidFinishRun = this.finished.event;

  constructor(private readonly client: EngineClient) {
    super();
    this.own(client);
  }

  /** Calls a method, as `EngineClient` does. */
  async call<M extends MethodName>(method: M, argument: Argument<M>, options: CallOptions = {}): Promise<Result<M>> {
    const result = await this.client.call(method, argument, options);
    if (isRunReport(result)) {
      this.finished.fire(result);
    }
    return result;
  }
}

function isRunReport(result: Result<MethodName>): result is RunReport {
  return 'fidelity' in result;
}
