import { CancelledError, InputError, messageOf } from '../../core/errors';
import type { ErrorData } from './rpc';

/** An error as data, to cross a process boundary. */
export function toErrorData(error: unknown): ErrorData {
  const kind = error instanceof InputError ? 'input' : error instanceof CancelledError ? 'cancelled' : 'failure';
  return { kind, message: messageOf(error) };
}

/** The error that `toErrorData` took apart. */
export function fromErrorData({ kind, message }: ErrorData): Error {
  switch (kind) {
    case 'input':
      return new InputError(message);
    case 'cancelled':
      return new CancelledError(message);
    case 'failure':
      return new Error(message);
  }
}
