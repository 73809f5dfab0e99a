import { CancelledError, InputError } from '../../core/errors';

/** How many may wait; whoever asks for more has lost count. */
export const longestQueue = 16;

interface Waiting {
  readonly controller: AbortController;
  readonly start: () => void;
}

/** Gives what only one may do at a time to one after another, in the order in which they asked. */
export class Turns {
  private holder: AbortController | undefined;
  private readonly waiting: Waiting[] = [];

  /** What stops the one whose turn it is; undefined where it is nobody's. */
  get current(): AbortController | undefined {
    return this.holder;
  }

  /**
   * Resolves when it is the turn of `controller`, which must `end` it.
   *
   * @throws CancelledError where `controller` is aborted before, InputError where too many wait
   */
  async take(controller: AbortController): Promise<void> {
    const { signal } = controller;
    if (signal.aborted) {
      throw new CancelledError();
    }
    if (this.holder === undefined) {
      this.holder = controller;
      return;
    }
    if (this.waiting.length === longestQueue) {
      throw new InputError(`${longestQueue} runs are waiting already; ask again when one of them has ended.`);
    }
    await new Promise<void>((resolve, reject) => {
      const own: Waiting = { controller, start: resolve };
      this.waiting.push(own);
      const leave = (): void => {
        const place = this.waiting.indexOf(own);
        if (place >= 0) {
          this.waiting.splice(place, 1);
          reject(new CancelledError());
        }
      };
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Ends the current turn; the next one begins at once, so that nobody gets in between. */
  end(): void {
    const next = this.waiting.shift();
    this.holder = next?.controller;
    next?.start();
  }

  /** Stops whoever has the turn or waits for it. */
  close(): void {
    const waiting = [...this.waiting];
    waiting.forEach(({ controller }) => controller.abort());
    this.holder?.abort();
  }
}
