import type * as vscode from 'vscode';
import { emitter, EventEmitter, onReset } from './events';
import { QuickPickItemKind } from './values';

/** A message that was shown. */
export interface ShownMessage {
  readonly kind: 'information' | 'warning' | 'error';
  readonly text: string;
  readonly modal: boolean;
  readonly detail: string | undefined;
  readonly buttons: readonly string[];
}

/** Every message, oldest first. */
export const messages: ShownMessage[] = [];
const messageShown = emitter<ShownMessage>();
/** Fires when a message is shown. */
export const onDidShowMessage = messageShown.event;

/** What the test does where the user is asked. What nobody scripted is an error of the test. */
interface Script {
  /** The button that is pressed; undefined closes the message. */
  press: (message: ShownMessage) => string | undefined;
  /** What is picked from each quick pick, by label; undefined gives up. */
  readonly picks: (string | readonly string[] | undefined)[];
  /** What is typed into each input box, until one text is accepted; undefined gives up. */
  readonly inputs: (readonly (string | undefined)[])[];
  /** The files that save dialogs end with. */
  readonly targets: (vscode.Uri | undefined)[];
}

export const script: Script = { press: () => undefined, picks: [], inputs: [], targets: [] };

/** Quick picks that were shown, with what they offered and how. */
export const shownPicks: { readonly items: readonly vscode.QuickPickItem[]; readonly options: vscode.QuickPickOptions }[] = [];
/** Input boxes that were shown. */
export const shownInputs: { readonly options: vscode.InputBoxOptions; readonly refusals: string[] }[] = [];
/** Save dialogs that were shown. */
export const shownDialogs: vscode.SaveDialogOptions[] = [];
/** Quick picks that the extension steers itself. */
export const quickPicks: FakeQuickPick<vscode.QuickPickItem>[] = [];
onReset(() => {
  [messages, script.picks, script.inputs, script.targets, shownPicks, shownInputs, shownDialogs, quickPicks].forEach((list) =>
    list.splice(0),
  );
  script.press = () => undefined;
});

/** The text of every message of a kind. */
export function textsOf(kind: ShownMessage['kind']): string[] {
  return messages.filter((message) => message.kind === kind).map(({ text }) => text);
}

const shower =
  (kind: ShownMessage['kind']) =>
  (text: string, ...rest: readonly (string | vscode.MessageOptions)[]): Promise<string | undefined> => {
    const options = rest.find((part) => typeof part !== 'string');
    const buttons = rest.filter((part) => typeof part === 'string');
    const message = { kind, text, modal: options?.modal ?? false, detail: options?.detail, buttons };
    messages.push(message);
    messageShown.fire(message);
    const pressed = script.press(message);
    if (pressed !== undefined && !buttons.includes(pressed)) {
      throw new Error(`"${text}" has no button "${pressed}"`);
    }
    return Promise.resolve(pressed);
  };

export const showInformationMessage = shower('information');
export const showWarningMessage = shower('warning');
export const showErrorMessage = shower('error');

function next<T>(list: T[], asked: string): T {
  if (list.length === 0) {
    throw new Error(`Nothing was scripted for ${asked}`);
  }
  return list.shift() as T;
}

/** Gives what `script.picks` names. */
export function showQuickPick(items: readonly vscode.QuickPickItem[], options: vscode.QuickPickOptions = {}): Promise<unknown> {
  shownPicks.push({ items, options });
  const picked = next(script.picks, `the quick pick "${options.title ?? ''}"`);
  const find = (label: string): vscode.QuickPickItem => {
    const item = items.find((each) => each.label === label);
    if (item === undefined) {
      throw new Error(`"${label}" is not among ${items.map((each) => each.label).join(', ')}`);
    }
    return item;
  };
  if (picked === undefined) {
    return Promise.resolve(undefined);
  }
  return Promise.resolve(options.canPickMany === true ? (picked as readonly string[]).map(find) : find(picked as string));
}

/** Takes the first of the texts in `script.inputs` that is not refused; an editor lets no other be entered. */
export async function showInputBox(options: vscode.InputBoxOptions): Promise<string | undefined> {
  const refusals: string[] = [];
  shownInputs.push({ options, refusals });
  for (const text of next(script.inputs, `the input box "${options.title ?? ''}"`)) {
    const refusal = text === undefined ? undefined : await options.validateInput?.(text);
    if (refusal === undefined || refusal === null || refusal === '') {
      return text;
    }
    refusals.push(typeof refusal === 'string' ? refusal : refusal.message);
  }
  throw new Error(`The input box "${options.title ?? ''}" refused every text: ${refusals.join(' ')}`);
}

/** Ends with the next of `script.targets`. */
export function showSaveDialog(options: vscode.SaveDialogOptions): Promise<vscode.Uri | undefined> {
  shownDialogs.push(options);
  return Promise.resolve(next(script.targets, `the save dialog "${options.title ?? ''}"`));
}

/** A quick pick that the extension steers: its first entry is in focus once it is shown. */
export class FakeQuickPick<T extends vscode.QuickPickItem> {
  title = '';
  placeholder = '';
  matchOnDescription = false;
  matchOnDetail = false;
  items: readonly T[] = [];
  activeItems: readonly T[] = [];
  visible = false;
  disposed = false;
  private readonly active = new EventEmitter<readonly T[]>();
  private readonly accepted = new EventEmitter<unknown>();
  private readonly hidden = new EventEmitter<unknown>();
  readonly onDidChangeActive = this.active.event;
  readonly onDidAccept = this.accepted.event;
  readonly onDidHide = this.hidden.event;

  show(): void {
    this.visible = true;
    const first = this.items.find(({ kind }) => (kind as number | undefined) !== QuickPickItemKind.Separator);
    this.focus(first === undefined ? [] : [first]);
  }

  hide(): void {
    if (this.visible) {
      this.visible = false;
      this.hidden.fire(undefined);
    }
  }

  dispose(): void {
    this.hide();
    this.disposed = true;
    [this.active, this.accepted, this.hidden].forEach((each) => each.dispose());
  }

  /** The user goes to an entry, or types what none matches. */
  focus(items: readonly T[]): void {
    this.activeItems = items;
    this.active.fire(items);
  }

  /** The user presses Enter. */
  accept(): void {
    this.accepted.fire(undefined);
  }
}

export function createQuickPick<T extends vscode.QuickPickItem>(): FakeQuickPick<T> {
  const pick = new FakeQuickPick<T>();
  quickPicks.push(pick as unknown as FakeQuickPick<vscode.QuickPickItem>);
  return pick;
}
