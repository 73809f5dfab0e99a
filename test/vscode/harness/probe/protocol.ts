/** What the probe says about the active text editor. Lines and columns count from 1, as VS Code shows them; offsets from 0. */
export interface EditorState {
  /** The file's path. */
  readonly file: string;
  readonly language: string;
  readonly dirty: boolean;
  readonly selections: readonly SelectionState[];
  /** First and last visible line of each visible range. */
  readonly visibleLines: readonly (readonly [number, number])[];
}

/** One cursor or selection, start before end. */
export interface SelectionState {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly startOffset: number;
  readonly endOffset: number;
  /** Empty for a mere cursor. */
  readonly text: string;
}

/** The questions the probe answers: each a path of its local HTTP server; `argument` is the query's only value. */
export interface ProbeAnswers {
  /** The active text editor, or null. */
  readonly editor: EditorState | null;
  /** The active editor's whole text, or null. */
  readonly text: string | null;
  /** The value in force of the setting named by the argument, or null. */
  readonly setting: unknown;
  /** Whether the extension named by the argument is active; null when it is not installed. */
  readonly active: boolean | null;
  readonly clipboard: string;
  /** Writes the user settings in the argument (JSON: name to value, null removes), and says that it did. */
  readonly configure: boolean;
  /** What came of the call of Two Heads' API in the argument: an {@link ApiCall} as JSON. */
  readonly callApi: Outcome;
  /** What came of the tool that was invoked, its parts as text: a {@link ToolCall} as JSON. */
  readonly invokeTool: Outcome;
  /** Names of the tools that language models are offered. */
  readonly tools: readonly string[];
  /** Whether the workspace is trusted. */
  readonly trusted: boolean;
  /** URIs of the workspace's folders. */
  readonly folders: readonly string[];
  /** Opens the file at the URI in the argument, and says that it did. */
  readonly show: boolean;
  /** Opens the notebook at the URI in the argument in the editor of notebooks, and says that it did. */
  readonly showNotebook: boolean;
  /** Executes the command in the argument (JSON: its identifier, then its arguments, an address as `{ uri }`), and says that it began. */
  readonly command: boolean;
  /** Stops what runs, closes every editor with its changes undone and every notification and quick input, and says that it did. */
  readonly clear: boolean;
  /** Takes back what was chosen in palette and panel in place of the settings, and says that it did. */
  readonly unchoose: boolean;
}

/** A call of Two Heads' API by another extension. */
export interface ApiCall {
  readonly method: 'plan' | 'simulate' | 'compare';
  readonly text: string;
  /** How many times the text is given: an argument is too short for a long one. */
  readonly repeat?: number;
  readonly options?: Readonly<Record<string, never>>;
  /** Whether it is cancelled as soon as it tells of progress. */
  readonly cancelAtProgress?: boolean;
}

/** An invocation of a language-model tool outside a chat. */
export interface ToolCall {
  readonly name: string;
  readonly input: object;
}

/** How a call ended: with a value, or an error. */
export interface Outcome {
  readonly value: unknown;
  readonly error: { readonly name: string; readonly message: string } | null;
}

/** The scheme of the probe's own file system, which is on no disk. */
export const MEMORY_SCHEME = 'memory';

/** The environment entry with the files of that file system: JSON of paths to contents. */
export const MEMORY_FILES = 'TWO_HEADS_HARNESS_FILES';

export type Question = keyof ProbeAnswers;

/** The environment entry that names the probe's Unix socket. */
export const PROBE_SOCKET = 'TWO_HEADS_HARNESS_SOCKET';
