import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { formatNumberOf } from '../../core/format';
import { t, text } from '../../core/l10n';
import type { KeptRun } from '../../engine/store/runs';
import type { CommandDefinition } from '../commands';
import { Disposable } from '../disposable';
import type { RunHistory } from './run-history';
import { sourceAgain } from '../tasks/run-source';
import type { Runner } from '../tasks/runner';
import { exportRuns, ReportView } from './report-view';
import { pickRun, pickRuns, type RunNode, runsOf, RunTree } from './run-tree';
import { showError, showInformation, showWarning } from '../notify';

/** Where what needs a run is offered, and can be done. */
const when = 'twoHeads.hasRuns';
const enablement = when;

/** What a command does with the runs that it is given. */
type Act = (self: RunCommands, given: readonly KeptRun[]) => Promise<void>;

/** The runs view and its commands: they act on the clicked run, else on the selection, else on what the user picks. */
export class RunCommands extends Disposable {
  static readonly definitions: Readonly<Record<string, CommandDefinition<Act> & { readonly ofOne?: true }>> = {
    showRun: { title: text('Open Report'), icon: 'preview', when, enablement, ofOne: true, run: (self, given) => self.show(given) },
    compareRuns: { title: text('Compare Runs'), icon: 'diff-multiple', when, enablement, run: (self, given) => self.compare(given) },
    rerun: {
      title: text('Re-run'),
      icon: 'debug-rerun',
      when,
      enablement: `${when} && !twoHeads.running`,
      ofOne: true,
      run: (self, given) => self.rerun(given),
    },
    exportRuns: { title: text('Export Runs...'), icon: 'export', when, enablement, run: (self, given) => self.export(given) },
    deleteRuns: { title: text('Delete Runs'), icon: 'trash', when, enablement, run: (self, given) => self.delete(given) },
    clearHistory: { title: text('Clear Run History...'), icon: 'clear-all', when, enablement, run: (self) => self.clear() },
  };

  private readonly tree: RunTree;
  private readonly reports = this.own(new ReportView());

  constructor(
    private readonly history: RunHistory,
    private readonly runner: Runner,
    private readonly log: vscode.LogOutputChannel,
  ) {
    super();
    this.tree = this.own(new RunTree(history));
    for (const [name, { ofOne, run }] of Object.entries(RunCommands.definitions)) {
      // VS Code passes the clicked node and, if it is part of a multiple selection, the selection.
      const given = (node?: RunNode, nodes?: readonly RunNode[]): readonly RunNode[] =>
        node === undefined ? this.tree.selection : ofOne ? [node] : (nodes ?? [node]);
      this.own(
        vscode.commands.registerCommand(`twoHeads.${name}`, (node?: RunNode, nodes?: readonly RunNode[]) =>
          this.perform(run, given(node, nodes)),
        ),
      );
    }
  }

  private async perform(act: Act, nodes: readonly RunNode[]): Promise<void> {
    if (this.history.runs.length === 0) {
      void showInformation(t('Two Heads: no runs yet; simulate a prompt first.'));
      return;
    }
    try {
      await act(this, runsOf(nodes));
    } catch (error) {
      this.log.error(messageOf(error));
      void showError(`Two Heads: ${messageOf(error)}`);
    }
  }

  private async show(given: readonly KeptRun[]): Promise<void> {
    const run = given.at(0) ?? (await pickRun(this.history.runs, t('Open Report')));
    if (run !== undefined) {
      this.reports.show([run.report]);
    }
  }

  private async compare(given: readonly KeptRun[]): Promise<void> {
    const runs = given.length > 1 ? given : await pickRuns(this.history.runs, t('Compare Runs'), given);
    if (runs !== undefined && runs.length < 2) {
      void showInformation(t('Two Heads: choose two or more runs to compare.'));
    } else if (runs !== undefined) {
      this.reports.show(oldestFirst(runs));
    }
  }

  private async rerun(given: readonly KeptRun[]): Promise<void> {
    const run =
      given.at(0) ??
      (await pickRun(
        this.history.runs.filter(({ origin }) => origin !== null),
        t('Re-run'),
      ));
    if (run?.origin === null) {
      void showWarning(t("Two Heads: this run can't be repeated because its options weren't saved. Open its prompt and simulate it."));
    } else if (run !== undefined) {
      await this.runner.rerun(await sourceAgain(run.origin), run.origin.options);
    }
  }

  private async export(given: readonly KeptRun[]): Promise<void> {
    const runs = given.length > 0 ? given : await pickRuns(this.history.runs, t('Export Runs'), this.history.runs);
    if (runs !== undefined && runs.length > 0) {
      await exportRuns(oldestFirst(runs));
    }
  }

  private async delete(given: readonly KeptRun[]): Promise<void> {
    const runs = given.length > 0 ? given : ((await pickRuns(this.history.runs, t('Delete Runs'), [])) ?? []);
    if (runs.length === 1 || (runs.length > 1 && (await confirmed(runs.length)))) {
      await this.history.delete(runs.map(({ id }) => id));
    }
  }

  private async clear(): Promise<void> {
    if (await confirmed(this.history.runs.length)) {
      await this.history.clear();
    }
  }
}

/** Reports are read in the order in which the runs were made. */
function oldestFirst(runs: readonly KeptRun[]): KeptRun['report'][] {
  return runs.map(({ report }) => report).reverse();
}

async function confirmed(runs: number): Promise<boolean> {
  const button = t('Delete');
  const detail = t("This can't be undone.");
  return (
    (await vscode.window.showWarningMessage(t('Delete {0}?', formatNumberOf(runs, 'run')), { modal: true, detail }, button)) === button
  );
}
