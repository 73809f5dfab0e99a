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
    this.#view = { open: { ...this.#view.open, [name]: open } };
    this.#api.setState(this.#view);
  }
}

/** The stored view state, or an empty one where there is none or an earlier version stored another shape. */
function viewStateOf(stored: unknown): ViewState {
  const open: Record<string, boolean> = {};
  if (isRecord(stored) && isRecord(stored['open'])) {
    for (const [name, value] of Object.entries(stored['open'])) {
      if (typeof value === 'boolean') {
        open[name] = value;
      }
    }
  }
  return { open };
}
