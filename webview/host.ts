import type { PageMessage } from '../src/protocol/panel';
import { isRecord } from './record';

/** What VS Code gives a webview, with this page's types. */
interface WebviewApi {
  postMessage(message: PageMessage): void;
  getState(): unknown;
  setState(state: ViewState): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** How the user has arranged the page: the only state that the page keeps. */
interface ViewState {
  /** Whether a section or a table is open, by its name. */
  readonly open: Readonly<Record<string, boolean>>;
  /** What is chosen where there are several ways to look at a section, by the choice's name. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** The extension host as the page sees it: messages out, and a place for view state that outlives a hidden page. */
export class Host {
  readonly #api = acquireVsCodeApi();
  #view = viewStateOf(this.#api.getState());

  /** Sends a message to the extension host. */
  post(message: PageMessage): void {
    this.#api.postMessage(message);
  }

  /** Whether the section `name` is open, `fallback` where the user has never touched it. */
  isOpen(name: string, fallback: boolean): boolean {
    return this.#view.open[name] ?? fallback;
  }

  /** Remembers that the user opened or closed the section `name`. */
  setOpen(name: string, open: boolean): void {
    this.#keep({ ...this.#view, open: { ...this.#view.open, [name]: open } });
  }

  /** What the user chose under `name` last; undefined where nothing. */
  chosen(name: string): string | undefined {
    return this.#view.chosen[name];
  }

  /** Remembers a choice of how to look at a section. */
  setChosen(name: string, value: string): void {
    this.#keep({ ...this.#view, chosen: { ...this.#view.chosen, [name]: value } });
  }

  #keep(view: ViewState): void {
    this.#view = view;
    this.#api.setState(view);
  }
}

/** The stored view state, or an empty one where there is none or an earlier version stored another shape. */
function viewStateOf(stored: unknown): ViewState {
  const state = isRecord(stored) ? stored : {};
  return {
    open: entriesOf(state['open'], (value) => typeof value === 'boolean'),
    chosen: entriesOf(state['chosen'], (value) => typeof value === 'string'),
  };
}

function entriesOf<T>(stored: unknown, isKnown: (value: unknown) => value is T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(isRecord(stored) ? stored : {}).filter((entry): entry is [string, T] => isKnown(entry[1])));
}
