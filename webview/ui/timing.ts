/** A call that waits until it has not been requested for a while. */
interface Debounced {
  /** Requests the call. */
  later(): void;
  /** Calls now and drops a waiting call. */
  now(): void;
  /** Makes a waiting call now; does nothing if none is waiting. */
  flush(): void;
}

/** Delays `act` until `delay` milliseconds after the last request. */
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

/** Calls `act` at the first request, then at most every `interval` milliseconds; the last request is never lost. */
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
