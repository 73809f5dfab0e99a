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
}

export type Question = keyof ProbeAnswers;

/** The environment entry that names the probe's Unix socket. */
export const PROBE_SOCKET = 'TWO_HEADS_HARNESS_SOCKET';
