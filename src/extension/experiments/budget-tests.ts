import { posix } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, errorShown } from '../../core/errors';
import type { BudgetCheck } from '../../core/evaluate/budget-checks';
import { brokenText } from '../../core/evaluate/check-report';
import { formatNumberOf } from '../../core/format';
import { t } from '../../core/l10n';
import { Disposable } from '../disposable';
import type { Engine } from '../tasks/engine';
import type { SingleTask } from '../tasks/single-task';
import { experimentPattern, findExperiments } from './experiment-files';

/** The budgets of experiment files as tests: each file is one, and its prompts are measured anew as by `two-heads check`. */
export class BudgetTests extends Disposable {
  private readonly controller = this.own(vscode.tests.createTestController('twoHeads.budgets', t('Two Heads budgets')));

  constructor(
    private readonly engine: Engine,
    private readonly task: SingleTask,
  ) {
    super();
    this.controller.createRunProfile(t('Check budgets'), vscode.TestRunProfileKind.Run, (request, token) => this.run(request, token), true);
    this.controller.resolveHandler = (item) => (item === undefined ? this.find() : Promise.resolve());
    this.controller.refreshHandler = () => this.find();
    const watcher = this.own(vscode.workspace.createFileSystemWatcher(experimentPattern));
    for (const event of [watcher.onDidCreate, watcher.onDidChange]) {
      this.own(event((uri) => void this.take(uri)));
    }
    this.own(watcher.onDidDelete((uri) => this.controller.items.delete(uri.toString())));
  }

  private async find(): Promise<void> {
    await Promise.all((await findExperiments()).map((uri) => this.take(uri)));
  }

  /** Makes a test of a file that has budgets; one that has none any more is none. */
  private async take(uri: vscode.Uri): Promise<void> {
    const text = await vscode.workspace.fs.readFile(uri).then(
      (bytes) => new TextDecoder().decode(bytes),
      () => '',
    );
    const place = /"budgets"\s*:\s*\{/.exec(text);
    if (place === null) {
      this.controller.items.delete(uri.toString());
      return;
    }
    const item = this.controller.createTestItem(uri.toString(), posix.basename(uri.path), uri);
    const line = text.slice(0, place.index).split('\n').length - 1;
    item.range = new vscode.Range(line, 0, line, 0);
    this.controller.items.add(item);
  }

  private async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const run = this.controller.createTestRun(request);
    const { include, exclude = [] } = request;
    const items: vscode.TestItem[] = [];
    this.controller.items.forEach((item) => items.push(item));
    const asked = (include ?? items).filter((item) => !exclude.includes(item));
    asked.forEach((item) => run.enqueued(item));
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    for (const item of asked) {
      if (controller.signal.aborted) {
        run.skipped(item);
      } else {
        await this.runOne(run, item, controller.signal);
      }
    }
    run.end();
  }

  private async runOne(run: vscode.TestRun, item: vscode.TestItem, signal: AbortSignal): Promise<void> {
    const { uri } = item;
    if (uri === undefined) {
      return;
    }
    run.started(item);
    const start = performance.now();
    try {
      const checks = await this.task.queue(
        (begin) => this.engine.call('check', { file: uri.fsPath }, begin(t('quality'), 'evaluate')),
        signal,
      );
      const tookMs = performance.now() - start;
      const broken = checks.filter(({ kept }) => !kept);
      run.appendOutput(`${item.label}: ${keptText(checks)}\r\n`, undefined, item);
      if (broken.length === 0) {
        run.passed(item, tookMs);
      } else {
        run.failed(
          item,
          broken.map((check) => messageAt(item, brokenText(check))),
          tookMs,
        );
      }
    } catch (error) {
      if (error instanceof CancelledError) {
        run.skipped(item);
      } else {
        run.errored(item, messageAt(item, errorShown(error)));
      }
    }
  }
}

function keptText(checks: readonly BudgetCheck[]): string {
  return t('{0} of {1} kept', checks.filter(({ kept }) => kept).length, formatNumberOf(checks.length, 'budget'));
}

function messageAt({ uri, range }: vscode.TestItem, text: string): vscode.TestMessage {
  const message = new vscode.TestMessage(text);
  if (uri !== undefined && range !== undefined) {
    message.location = new vscode.Location(uri, range);
  }
  return message;
}
