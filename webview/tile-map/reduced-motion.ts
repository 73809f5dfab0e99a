/** Calls `listener` now and after every change: whether the system or VS Code asks for less motion. */
export function onReducedMotion(listener: (reduced: boolean) => void): void {
  const query = window.matchMedia('(prefers-reduced-motion: reduce)');
  let last: boolean | undefined;
  const read = (): void => {
    // VS Code's own setting reaches a page as a class of its body.
    const reduced = query.matches || document.body.classList.contains('vscode-reduce-motion');
    if (reduced !== last) {
      last = reduced;
      listener(reduced);
    }
  };
  query.addEventListener('change', read);
  new MutationObserver(read).observe(document.body, { attributeFilter: ['class'] });
  read();
}
