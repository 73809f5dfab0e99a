import type { LabPageMessage } from '../src/protocol/lab';
import type { HostMessage, PageMessage } from '../src/protocol/panel';

/** Whether a value of unknown origin, such as a message or stored state, is an object with fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Per type of message: tests that its payload is there. */
const payloads: Readonly<Record<HostMessage['type'], (message: Readonly<Record<string, unknown>>) => boolean>> = {
  snapshot: ({ snapshot }) => isRecord(snapshot) && Array.isArray(snapshot['runs']) && isRecord(snapshot['form']),
  'cost-curves': ({ curves }) => curves === null || (isRecord(curves) && Array.isArray(curves['curves'])),
  progress: ({ progress }) => isRecord(progress) && typeof progress['fraction'] === 'number',
  place: ({ place }) => isRecord(place),
  'tile-text': ({ request, queries, keys }) =>
    Number.isInteger(request) && typeof queries === 'string' && (keys === null || typeof keys === 'string'),
};

/** The host's message in `data`, or undefined for anything else that reaches the window. */
export function hostMessageOf(data: unknown): HostMessage | undefined {
  if (!isRecord(data) || typeof data['type'] !== 'string' || !Object.hasOwn(payloads, data['type'])) {
    return undefined;
  }
  // The host builds its messages from the same union; the payload test guards against other senders.
  return payloads[data['type'] as HostMessage['type']](data) ? (data as unknown as HostMessage) : undefined;
}

/** VS Code's API for webviews, with this page's types. */
interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: ViewState): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** How the user has arranged the page: the only state that the page keeps itself. */
interface ViewState {
  /** Whether a section or table is open, by name. */
  readonly open: Readonly<Record<string, boolean>>;
  /** The chosen view of a section that has several, by the choice's name. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** Where a page keeps which of its parts are open. */
export type Folds = Pick<Host, 'isOpen' | 'setOpen'>;

/** The extension host as the page sees it: sends messages, and stores view state that survives while the page is hidden. */
export class Host {
  readonly #api = acquireVsCodeApi();
  #view = viewStateOf(this.#api.getState());

  /** Sends a message to the extension host. */
  post(message: PageMessage | LabPageMessage): void {
    this.#api.postMessage(message);
  }

  /** Whether the section `name` is open; `fallback` if the user never opened or closed it. */
  isOpen(name: string, fallback: boolean): boolean {
    return this.#view.open[name] ?? fallback;
  }

  /** Remembers that the user opened or closed the section `name`. */
  setOpen(name: string, open: boolean): void {
    this.#keep({ ...this.#view, open: { ...this.#view.open, [name]: open } });
  }

  /** The user's last choice under `name`, or undefined. */
  chosen(name: string): string | undefined {
    return this.#view.chosen[name];
  }

  /** Remembers the chosen view of a section. */
  setChosen(name: string, value: string): void {
    this.#keep({ ...this.#view, chosen: { ...this.#view.chosen, [name]: value } });
  }

  #keep(view: ViewState): void {
    this.#view = view;
    this.#api.setState(view);
  }
}

/** The stored view state, or an empty one if there is none or an earlier version stored another shape. */
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
