/** Pauses after a keystroke, in milliseconds. */
const pauseMs = { quick: 5, slow: 100 } as const;
const quickUpdateMs = 30;

/**
 * Pause after a keystroke before a prompt is planned again, in milliseconds: hardly any where the last update was quick, so
 * that hints follow the keys; a longer one where it was not, so that typing is not held up.
 */
export function typingPause(lastUpdateMs: number): number {
  return lastUpdateMs <= quickUpdateMs ? pauseMs.quick : pauseMs.slow;
}
