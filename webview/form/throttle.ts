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
