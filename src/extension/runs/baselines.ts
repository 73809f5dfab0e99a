import * as vscode from 'vscode';
import { type LabRecord, type RecordKind, recordKinds } from '../../core/record/record';
import { Disposable } from '../disposable';
import type { RunHistory } from './run-history';

/** Key of the workspace's state: ids of pinned records, by kind. */
const stateKey = 'baselines';

/** The records that were pinned, one of each kind at most: others of their kind are shown as differences from them. */
export class Baselines extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after a record was pinned or unpinned. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly history: RunHistory,
    private readonly state: vscode.Memento,
  ) {
    super();
  }

  /** The pinned record of a kind; undefined where none is, or it was deleted. */
  of(kind: RecordKind): LabRecord | undefined {
    const id = this.ids()[kind];
    return id === undefined ? undefined : this.history.records.find((record) => record.id === id && record.kind === kind);
  }

  /** Pins a record in place of the one before. */
  async pin({ kind, id }: LabRecord): Promise<void> {
    await this.keep({ ...this.ids(), [kind]: id });
  }

  /** Unpins the record of a kind. */
  async unpin(kind: RecordKind): Promise<void> {
    await this.keep({ ...this.ids(), [kind]: undefined });
  }

  private async keep(ids: Partial<Record<RecordKind, string | undefined>>): Promise<void> {
    await this.state.update(stateKey, ids);
    this.changed.fire();
  }

  /** What is kept in another shape pins nothing. */
  private ids(): Partial<Record<RecordKind, string>> {
    const kept: unknown = this.state.get(stateKey);
    const ids = typeof kept === 'object' && kept !== null ? (kept as Readonly<Record<string, unknown>>) : {};
    return Object.fromEntries(recordKinds.flatMap((kind) => (typeof ids[kind] === 'string' ? [[kind, ids[kind]]] : [])));
  }
}
