import * as vscode from 'vscode';
import { messageOf } from '../core/errors';
import { setTranslations } from '../core/l10n';
import { RecordFiles } from '../engine/store/records';
import { EngineClient } from '../engine/process/engine-client';
import { PlannerClient } from '../engine/process/planner-client';
import { FleetClient } from '../fleet/process/fleet-client';
import type { TwoHeadsApi } from './api/api';
import { ChoiceStore } from './choice';
import { Commands } from './commands';
import { BudgetTests } from './experiments/budget-tests';
import { ExperimentChecks } from './experiments/experiment-checks';
import { ExperimentLens } from './experiments/experiment-lens';
import { ExperimentOutlooks } from './experiments/experiment-outlooks';
import { ExperimentTasks } from './experiments/experiment-tasks';
import { Fleet } from './fleet/fleet';
import { MachineTree } from './fleet/machine-tree';
import { GutterHints } from './editor/gutter-hints';
import { HeatMarks } from './editor/heat-marks';
import { BlockHints, HeadingHints } from './editor/hints';
import { LineHints } from './editor/line-hints';
import { BlockHover } from './editor/block-hover';
import { Diffs } from './editor/diffs';
import { PlanLens } from './editor/plan-lens';
import { PlanStatus } from './editor/plan-status';
import { PromptActions } from './editor/prompt-actions';
import { RunCommands } from './runs/run-commands';
import { createApi } from './api/create-api';
import { Lab } from './api/lab';
import { LabEditors } from './lab/lab-editors';
import { Planner } from './prompts/planner';
import { ModelAccess } from './prompts/models';
import { PanelView } from './panel/panel-view';
import { ActivePrompt } from './prompts/active-prompt';
import { Calibrations } from './prompts/calibrations';
import { Notebooks } from './prompts/notebooks';
import { PromptDocuments } from './prompts/prompt-documents';
import { PromptPlans } from './prompts/prompt-plans';
import { PromptTree } from './prompts/prompt-tree';
import { Continuations } from './tasks/continuations';
import { Engine } from './tasks/engine';
import { Evaluations } from './tasks/evaluations';
import { Fetches } from './tasks/fetches';
import { Latest } from './runs/latest';
import { ReportView } from './runs/report-view';
import { RunHistory } from './runs/run-history';
import { Runner } from './tasks/runner';
import { SingleTask } from './tasks/single-task';
import { LanguageModelTools } from './api/language-model-tools';
import { McpServers } from './api/mcp-servers';
import { WorkspaceRequests } from './api/tool-requests';

/** The parts that are disposed of on deactivation. */
interface Owned {
  dispose(): void;
}

/** Registers all features; loads no tokenizer, model or runtime before first use. @returns the API for other extensions */
export function activate(context: vscode.ExtensionContext): TwoHeadsApi {
  setTranslations(vscode.l10n.bundle);
  const at = (...path: string[]): vscode.Uri => vscode.Uri.joinPath(context.extensionUri, ...path);
  const own = <T extends Owned>(disposable: T): T => {
    context.subscriptions.push(disposable);
    return disposable;
  };

  const log = own(vscode.window.createOutputChannel('Two Heads', { log: true }));
  const access = new ModelAccess(at('media', 'models').fsPath);
  const engine = own(
    new Engine(new EngineClient(at('dist', 'engine.js').fsPath, context.globalStorageUri.fsPath, (line) => log.info(line)), access),
  );
  const fleet = own(
    new Fleet(
      new FleetClient(at('dist', 'fleet.js').fsPath, context.globalStorageUri.fsPath, (line) => log.info(line)),
      access,
      context.secrets,
      context.globalState,
    ),
  );
  const choices = own(new ChoiceStore(context.workspaceState));
  // Without an open folder there is no workspace storage.
  const runs = vscode.Uri.joinPath(context.storageUri ?? context.globalStorageUri, 'runs');
  const history = own(new RunHistory(new RecordFiles(runs.fsPath), context.workspaceState, log));
  const prompts = own(new PromptDocuments(context.workspaceState));
  const notebooks = own(new Notebooks());
  const active = own(new ActivePrompt(prompts, notebooks));
  const task = own(new SingleTask(log));
  const calibrations = own(new Calibrations(context.globalStorageUri.fsPath, () => task.activity.state === 'running'));
  const plannerClient = own(new PlannerClient(at('dist', 'planner.js').fsPath, vscode.l10n.bundle, (line) => log.info(line)));
  const planner = new Planner(plannerClient, access, choices, calibrations);
  const plans = own(new PromptPlans(prompts, choices, planner, calibrations, notebooks));
  const diffs = own(new Diffs());
  const ledger = own(new Latest(history, 'ledger'));
  const evaluation = own(new Latest(history, 'evaluation'));
  const runner = new Runner(engine, task, choices, history, calibrations, planner);
  const continuations = own(new Continuations(history));
  const reports = own(new ReportView(continuations));
  const evaluations = new Evaluations(engine, fleet, task, choices, history);
  const outlooks = own(new ExperimentOutlooks(engine, task));
  const labs = own(
    new LabEditors({
      active,
      plans,
      history,
      evaluation,
      ledger,
      choices,
      runner,
      engine,
      outlooks,
      task,
      assets: at('dist', 'webview'),
      log: (line) => log.warn(line),
      runExperiment: (file) => evaluations.runFile(file),
    }),
  );
  const lab = new Lab(engine, task, history, planner);
  const panel = own(
    new PanelView(
      at('dist', 'webview'),
      { active, plans, choices, runner, task, history, ledger, openLab: (part) => labs.openPrompt(part) },
      (line) => log.warn(line),
    ),
  );

  // If one feature fails to start, the others still do.
  const features: readonly (() => Owned)[] = [
    () =>
      new Commands({
        prompts,
        active,
        notebooks,
        plans,
        planner,
        choices,
        runner,
        task,
        panel,
        log,
        evaluations,
        labs,
        experiments: own(
          new ExperimentLens(outlooks, own(new ExperimentChecks(planner, (line) => log.warn(line))), task, (line) => log.warn(line)),
        ),
        fleet,
        fetches: new Fetches(access, log),
        reports,
        samplePrompt: at('media', 'samples', 'prompt.md'),
      }),
    () => new PromptTree(prompts, plans, notebooks),
    () => new RunCommands(history, runner, reports, context.workspaceState, log),
    () => new MachineTree(fleet, calibrations),
    () => new PlanLens(plans, history, diffs),
    () => new LineHints(plans),
    () => new GutterHints(plans),
    () => new HeatMarks(plans, evaluation),
    () => new BlockHints(plans, diffs),
    () => new HeadingHints(plans, diffs),
    () => new BlockHover(plans, diffs),
    () => new PlanStatus(active, plans, task),
    () => new PromptActions(prompts, notebooks),
    () => new BudgetTests(engine, task),
    () => new ExperimentTasks(at('dist', 'cli.js').fsPath),
    () => new McpServers(at('dist', 'cli.js').fsPath),
    () => new LanguageModelTools(lab, new WorkspaceRequests(choices, access), (line) => log.warn(line)),
  ];
  for (const start of features) {
    try {
      own(start());
    } catch (error) {
      log.error(messageOf(error));
    }
  }
  return createApi(lab, engine, choices, (line) => log.warn(line));
}
