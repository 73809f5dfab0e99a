/**
 * How long figures may lag behind their text before they count as stale, in milliseconds: sooner nobody has read them, and
 * a mark at every keystroke would blink.
 */
const staleAfterMs = 250;

/** Tells whether something has been behind for long, from its first change on until it is up to date again. */
export class Lag {
  private timer: NodeJS.Timeout | undefined;
  private long = false;

  constructor(private readonly onTurnStale: () => void) {}

  get isStale(): boolean {
    return this.long;
  }

  /** Something changed; further changes do not put off the mark. */
  begin(): void {
    this.timer ??= setTimeout(() => {
      this.long = true;
      this.onTurnStale();
    }, staleAfterMs);
  }

  /** Everything is up to date. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.long = false;
  }
}
