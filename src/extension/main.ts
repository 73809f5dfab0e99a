import * as vscode from 'vscode';
import { messageOf } from '../core/errors';
import type { ExperimentSummary } from '../core/report/experiment';
import type { LedgerReport } from '../core/report/ledger';
import { EngineClient } from '../engine/process/client';
import { ChoiceStore } from './choice';
import { Commands } from './commands';
import { BlockHints } from './editor/block-hints';
import { BlockHover } from './editor/block-hover';
import { PlanLens } from './editor/plan-lens';
import { PlanStatus } from './editor/plan-status';
import { PanelView } from './panel/panel-view';
import { ActivePrompt } from './prompts/active-prompt';
import { Calibrations } from './prompts/calibrations';
import { ModelReader } from './prompts/model-reader';
import { PromptPlans } from './prompts/prompt-plans';
import { Continuations } from './runs/continuations';
import { Evaluations } from './runs/evaluations';
import { Latest } from './runs/latest';
import { RunHistory } from './runs/run-history';
import { Runner } from './runs/runner';
import { SingleTask } from './runs/single-task';

/** What the extension gives back when it is deactivated. */
interface Owned {
  dispose(): void;
}

/** Registers everything; loads no tokenizer, model or runtime before its first use. */
export function activate(context: vscode.ExtensionContext): void {
  const at = (...path: string[]): vscode.Uri => vscode.Uri.joinPath(context.extensionUri, ...path);
  const own = <T extends Owned>(disposable: T): T => {
    context.subscriptions.push(disposable);
    return disposable;
  };

  const log = own(vscode.window.createOutputChannel('Two Heads', { log: true }));
  const engine = own(new EngineClient(at('dist', 'engine.js').fsPath, context.globalStorageUri.fsPath, (line) => log.info(line)));
  const choices = own(new ChoiceStore(context.workspaceState));
  const history = own(new RunHistory(context.workspaceState));
  const active = own(new ActivePrompt());
  const calibrations = own(new Calibrations(context.globalStorageUri.fsPath));
  const plans = own(new PromptPlans(choices, new ModelReader(at('media', 'models').fsPath), calibrations));
  const ledger = own(new Latest<LedgerReport>());
  const evaluation = own(new Latest<ExperimentSummary>());
  const task = own(new SingleTask(log));
  const runner = new Runner(engine, task, choices, history, ledger, calibrations);
  const panel = own(new PanelView(at('dist', 'webview'), { active, plans, choices, runner, task, history, ledger, evaluation }));

  // One feature that fails to start must not take the others with it.
  const features: readonly (() => Owned)[] = [
    () => new Commands({ active, plans, choices, runner, task, panel, log, evaluations: new Evaluations(engine, task, choices, evaluation), continuations: own(new Continuations()), samplePrompt: at('media', 'samples', 'long-prompt.md') }),
    () => new PlanLens(plans, history),
    () => new BlockHints(plans),
    () => new BlockHover(plans),
    () => new PlanStatus(active, plans, task),
  ];
  for (const start of features) {
    try {
      own(start());
    } catch (error) {
      log.error(messageOf(error));
    }
  }
}
