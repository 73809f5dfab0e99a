import { messageShown, text } from './l10n';

/**
 * Input that Two Heads refuses: a bad option, file, model or plan.
 *
 * The message is one line that names the value and the fix; the command line prints it and exits with 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(message: string) {
    // Names from files can contain anything; a message is one line without characters that a terminal acts on, that nobody
    // sees, or that no encoding has (half of a surrogate pair).
    super(message.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`));
  }
}

/** A run was cancelled. The command line exits with 130, as shells do after an interrupt. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  constructor(message = text('The run was cancelled.')) {
    super(message);
  }
}

/** Rethrows what a run threw; where it was cancelled, with a message that says what is left of it. @param message null keeps its own */
export function cancelledSaying(message: string | null): (error: unknown) => never {
  return (error) => {
    throw error instanceof CancelledError && message !== null ? new CancelledError(message) : error;
  };
}

/** The message of any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The message of any thrown value in the editor's language: for people to see, not for logs, files or language models. */
export function errorShown(thrown: unknown): string {
  return messageShown(messageOf(thrown));
}
