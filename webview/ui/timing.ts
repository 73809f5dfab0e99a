/** A call that waits until nothing has asked for it for a while. */
interface Debounced {
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

/** A call that is made at once, and then at most every `interval` milliseconds while it is asked for; the last request is never lost. */
export function throttle(act: () => void, interval: number): () => void {
  let timer: number | undefined;
  let wanted = false;
  const ask = (): void => {
    if (timer !== undefined) {
      wanted = true;
      return;
    }
    act();
    timer = window.setTimeout(() => {
      timer = undefined;
      if (wanted) {
        wanted = false;
        ask();
      }
    }, interval);
  };
  return ask;
}
