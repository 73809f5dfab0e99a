import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { t, text } from '../../core/l10n';
import type { LabRecord } from '../../core/record/record';
import type { CommandDefinition } from '../commands';
import { Disposable } from '../disposable';
import type { RunHistory } from './run-history';
import { sourceAgain } from '../tasks/run-source';
import type { Runner } from '../tasks/runner';
import { Baselines } from './baselines';
import { exportRecords } from './export';
import type { ReportView } from './report-view';
import { pickRecord, pickRecords, recordCount, type RunNode, recordsOf, RunTree } from './run-tree';
import { showFailure, showInformation, showWarning } from '../notify';

/** Where what needs a run is offered, and can be done. */
const when = 'twoHeads.hasRuns';
const enablement = when;

/** What a command does with the records that it is given. */
type Act = (self: RunCommands, given: readonly LabRecord[]) => Promise<void>;

/** The runs view and its commands: they act on the clicked record, else on the selection, else on what the user picks. */
export class RunCommands extends Disposable {
  static readonly definitions: Readonly<Record<string, CommandDefinition<Act> & { readonly ofOne?: true }>> = {
    showRun: { title: text('Open Report'), icon: 'preview', when, enablement, ofOne: true, run: (self, given) => self.show(given) },
    compareRuns: { title: text('Compare Runs'), icon: 'diff-multiple', when, enablement, run: (self, given) => self.compare(given) },
    rerun: { title: text('Re-run'), icon: 'debug-rerun', when, enablement, ofOne: true, run: (self, given) => self.rerun(given) },
    pinBaseline: { title: text('Pin as Baseline'), icon: 'pin', when, enablement, ofOne: true, run: (self, given) => self.pin(given) },
    unpinBaseline: {
      title: text('Unpin Baseline'),
      icon: 'pinned',
      when,
      enablement,
      ofOne: true,
      run: (self, given) => self.unpin(given),
    },
    exportRuns: { title: text('Export Runs...'), icon: 'export', when, enablement, run: (self, given) => self.export(given) },
    deleteRuns: { title: text('Delete Runs'), icon: 'trash', when, enablement, run: (self, given) => self.delete(given) },
    clearHistory: { title: text('Clear Run History...'), icon: 'clear-all', when, enablement, run: (self) => self.clear() },
  };

  private readonly tree: RunTree;
  private readonly baselines: Baselines;

  constructor(
    private readonly history: RunHistory,
    private readonly runner: Runner,
    private readonly reports: ReportView,
    state: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    super();
    this.baselines = this.own(new Baselines(history, state));
    this.tree = this.own(new RunTree(history, this.baselines));
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
    if (this.history.records.length === 0) {
      void showInformation(t('Two Heads: no runs yet; simulate a prompt first.'));
      return;
    }
    try {
      await act(this, recordsOf(nodes));
    } catch (error) {
      this.log.error(messageOf(error));
      void showFailure(error);
    }
  }

  private async show(given: readonly LabRecord[]): Promise<void> {
    const record = given.at(0) ?? (await pickRecord(this.history.records, t('Open Report')));
    if (record !== undefined) {
      await this.reports.open(record);
    }
  }

  private async compare(given: readonly LabRecord[]): Promise<void> {
    const alike = mostOfOneKind(given);
    // Only results of one kind have something in common.
    const offered = alike.length === 0 ? this.history.records : this.history.records.filter(({ kind }) => kind === alike[0].kind);
    const records = alike.length > 1 ? alike : await pickRecords(offered, t('Compare Runs'), alike);
    if (records === undefined) {
      return;
    }
    if (records.length < 2) {
      void showInformation(t('Two Heads: choose two or more runs to compare.'));
    } else if (records.some(({ kind }) => kind !== records[0].kind)) {
      void showInformation(t('Two Heads: results of different kinds do not compare; choose two or more of one kind.'));
    } else {
      this.reports.compare(oldestFirst(records));
    }
  }

  private async rerun(given: readonly LabRecord[]): Promise<void> {
    const record =
      given.at(0) ??
      (await pickRecord(
        this.history.runs.filter(({ origin }) => origin !== null),
        t('Re-run'),
      ));
    if (record === undefined) {
      return;
    }
    if (record.kind !== 'run' || record.origin === null) {
      void showWarning(t("Two Heads: this run can't be repeated because its options weren't saved. Open its prompt and simulate it."));
    } else {
      await this.runner.rerun(await sourceAgain(record.origin), record.origin.options);
    }
  }

  private async pin(given: readonly LabRecord[]): Promise<void> {
    const record = given.at(0) ?? (await pickRecord(this.history.records, t('Pin as Baseline')));
    if (record !== undefined) {
      await this.baselines.pin(record);
    }
  }

  private async unpin(given: readonly LabRecord[]): Promise<void> {
    const pinned = this.history.records.filter((record) => this.baselines.of(record.kind) === record);
    const record = given.at(0) ?? (pinned.length > 1 ? await pickRecord(pinned, t('Unpin Baseline')) : pinned.at(0));
    if (record !== undefined) {
      await this.baselines.unpin(record.kind);
    }
  }

  private async export(given: readonly LabRecord[]): Promise<void> {
    const { records } = this.history;
    const chosen = given.length > 0 ? given : await pickRecords(records, t('Export Runs'), records);
    if (chosen !== undefined && chosen.length > 0) {
      await exportRecords(oldestFirst(chosen));
    }
  }

  private async delete(given: readonly LabRecord[]): Promise<void> {
    const records = given.length > 0 ? given : ((await pickRecords(this.history.records, t('Delete Runs'), [])) ?? []);
    if (records.length === 1 || (records.length > 1 && (await confirmed(records)))) {
      await this.history.delete(records.map(({ id }) => id));
    }
  }

  private async clear(): Promise<void> {
    if (await confirmed(this.history.records)) {
      await this.history.clear();
    }
  }
}

/** Of records of several kinds, as under one prompt, those of the kind that most are of; of kinds with as many, that of the newest. */
function mostOfOneKind(records: readonly LabRecord[]): readonly LabRecord[] {
  const kinds = new Set(records.map(({ kind }) => kind));
  return [...kinds]
    .map((kind) => records.filter((record) => record.kind === kind))
    .reduce<readonly LabRecord[]>((most, own) => (own.length > most.length ? own : most), []);
}

/** Reports are read in the order in which the runs were made. */
function oldestFirst(records: readonly LabRecord[]): LabRecord[] {
  return [...records].reverse();
}

async function confirmed(records: readonly LabRecord[]): Promise<boolean> {
  const button = t('Delete');
  const detail = t("This can't be undone.");
  return (await vscode.window.showWarningMessage(t('Delete {0}?', recordCount(records)), { modal: true, detail }, button)) === button;
}
