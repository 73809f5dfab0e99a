/** A call that waits until nothing has asked for it for a while. */
export interface Debounced {
  /** Asks for the call, later. */
  later(): void;
  /** Makes the call now; a waiting one is dropped. */
  now(): void;
  /** Makes a waiting call now, and nothing where none waits. */
  flush(): void;
}

/** Puts `act` off until `delay` milliseconds after the last request. */
export function debounce(act: () => void, delay: number): Debounced {
  let timer: number | undefined;
  const now = (): void => {
    window.clearTimeout(timer);
    timer = undefined;
    act();
  };
  return {
    later: () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(now, delay);
    },
    now,
    flush: () => {
      if (timer !== undefined) {
        now();
      }
    },
  };
}
