import * as vscode from 'vscode';
import { InputError } from '../core/errors';
import { readBlockSize } from '../core/options/read';
import { makeChoice, type ScenarioChoice } from '../core/scenario/scenario';
import type { FormChoice } from '../protocol/panel';
import { Disposable } from './disposable';
import { formChoice } from './panel/page-messages';
import { affectsChoice, choiceFromSettings } from './settings';
import { showFailure } from './notify';

const storageKey = 'choice';

/** A valid choice, or the reason why it is invalid. */
export type ReadChoice =
  { readonly scenario: ScenarioChoice; readonly blockSize: number; readonly error: null } | { readonly error: string };

/**
 * The workspace's current scenario and block size.
 *
 * The settings are the initial values; the palette and the panel change them. They are kept in the extension's own storage,
 * never written to the user's settings. A later change of the settings wins.
 */
export class ChoiceStore extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after the choice changed. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly storage: vscode.Memento) {
    super();
    this.own(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (affectsChoice(event)) {
          this.set(undefined).catch((error: unknown) => void showFailure(error));
        }
      }),
    );
  }

  get choice(): FormChoice {
    return this.kept ?? choiceFromSettings().choice;
  }

  /** What was chosen in this workspace; undefined for what another version, or a fault, left there in another shape. */
  private get kept(): FormChoice | undefined {
    // Which kinds and parameters there are is checked where the choice is read.
    return formChoice.safeParse(this.storage.get(storageKey)).data as FormChoice | undefined;
  }

  /** Changes a part of the choice; undefined resets it to the settings. */
  async set(change: Partial<FormChoice> | undefined): Promise<void> {
    await this.storage.update(storageKey, change && { ...this.choice, ...change });
    this.changed.fire();
  }

  /** The choice as a validated scenario and block size. */
  read(): ReadChoice {
    const { choice, error } = this.kept === undefined ? choiceFromSettings() : { choice: this.kept, error: null };
    if (error !== null) {
      return { error };
    }
    const { kind, parameters, blockSize } = choice;
    try {
      return { scenario: makeChoice(kind, parameters), blockSize: readBlockSize(blockSize), error: null };
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      return { error: error.message };
    }
  }
}
