import type * as vscode from 'vscode';
import { plainSource, type PromptSource } from '../../core/source/options';
import type { TextChange } from '../../core/text/edits';
import type { PlannedPromptData, PromptRequest } from '../../engine/process/open-prompt';
import { DocumentPlaces } from '../../engine/read/source/document-places';
import type { PromptDocument } from './notebooks';
import { type ChunkPlaces, TokenPlaces } from '../../engine/read/tokenizer/token-places';

/** Most changes that are sent; more take longer to copy than the whole text. */
const mostChanges = 1000;

/** A planned prompt. */
export interface PlannedText extends Pick<
  PlannedPromptData,
  'plan' | 'memory' | 'prediction' | 'calibration' | 'cache' | 'storedBytes' | 'sections' | 'sha256'
> {
  /** Which token is where in the document. */
  readonly places: DocumentPlaces;
}

/** How a prompt is read from a document. @param at where the cursor is in a program */
export function sourceIn(document: PromptDocument, at: number | undefined): PromptSource {
  const { languageId } = document;
  return { ...plainSource, ...('notebook' in document ? { as: 'notebook' } : {}), languageId, at };
}

/** What the planning thread knows of an open prompt, so that only what changed is sent. */
export class SentPrompt {
  /** The version that the thread has; undefined if it has none that can be told of. */
  private version: number | undefined;
  private changes: TextChange[] = [];
  private places: TokenPlaces = new TokenPlaces<ChunkPlaces>([], 0, 0);
  /** As of the last result. */
  private literals: Int32Array | null = null;

  /** @param at where the cursor is, or was last within a long string literal of a program; undefined where no editor shows it */
  constructor(
    private readonly document: PromptDocument,
    private at: number | undefined,
  ) {}

  get id(): string {
    const { uri } = this.document;
    // A notebook may also be open as the text that it is kept as.
    return ('notebook' in this.document ? uri.with({ scheme: `notebook-${uri.scheme}` }) : uri).toString();
  }

  /** How the prompt is read from the document. */
  get source(): PromptSource {
    return sourceIn(this.document, this.at);
  }

  /** Where a program has its long string literals, of which one can be the prompt. */
  get hasLiterals(): boolean {
    return this.literals !== null && this.literals.length > 0;
  }

  /** Follows the cursor. @returns whether it is in a long string literal other than the one it was in before */
  moved(at: number): boolean {
    const literal = this.literalAround(at);
    if (literal === undefined) {
      return false;
    }
    const isOther = this.at === undefined || this.literalAround(this.at) !== literal;
    this.at = at;
    return isOther;
  }

  /** Number of the innermost literal around an offset. */
  private literalAround(offset: number): number | undefined {
    const literals = this.literals ?? [];
    const length = (index: number): number => literals[index + 1] - literals[index];
    let found: number | undefined;
    for (let index = 0; index < literals.length; index += 2) {
      const isIn = literals[index] <= offset && offset <= literals[index + 1];
      if (isIn && (found === undefined || length(index) < length(found))) {
        found = index;
      }
    }
    return found;
  }

  /** Follows changes that the editor tells of: from the end of the text to its start, so that none shifts another. */
  changed(changes: readonly vscode.TextDocumentContentChangeEvent[]): void {
    for (const { rangeOffset, rangeLength, text } of changes) {
      if (this.at !== undefined && rangeOffset + rangeLength <= this.at) {
        this.at += text.length - rangeLength;
      }
    }
    if (this.changes.length + changes.length > mostChanges) {
      this.forget();
    }
    if (this.version !== undefined) {
      this.changes = [
        ...this.changes,
        ...changes.map(({ rangeOffset, rangeLength, text }) => ({ offset: rangeOffset, removed: rangeLength, inserted: text })),
      ];
    }
  }

  /** The thread has to get the whole text again: another one was started, or the text changed in ways that nobody tells of. */
  forget(): void {
    this.version = undefined;
    this.changes = [];
  }

  /** The text as it is now, for the thread, which has it then. */
  take(): Omit<PromptRequest, 'options' | 'candidates'> {
    const { document, version: since, changes } = this;
    const { version } = document;
    this.version = version;
    this.changes = [];
    const change = since === undefined ? { text: document.getText() } : { since, changes };
    return { document: this.id, version, change, source: this.source };
  }

  /** A result of the thread with the places that it tells of. Every result has to be taken, in turn. */
  placed({ places, pieces, literals, before, after, ...planned }: PlannedPromptData): PlannedText {
    this.places = new TokenPlaces(this.places.chunksAfter(places), before, after);
    this.literals = literals;
    return { ...planned, places: new DocumentPlaces(this.places, pieces) };
  }
}
