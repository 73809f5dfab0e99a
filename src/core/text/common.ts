/** Code units that are compared at once. */
const chunk = 4096;

/** Length of the longest text that both begin with, in UTF-16 code units. */
export function commonPrefix(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let at = 0;
  while (at + chunk <= limit && a.slice(at, at + chunk) === b.slice(at, at + chunk)) {
    at += chunk;
  }
  while (at < limit && a.charCodeAt(at) === b.charCodeAt(at)) {
    at += 1;
  }
  return at;
}

/** Length of the longest text that both end with, up to a limit. */
export function commonSuffix(a: string, b: string, limit: number): number {
  let size = 0;
  while (size + chunk <= limit && a.slice(a.length - size - chunk, a.length - size) === b.slice(b.length - size - chunk, b.length - size)) {
    size += chunk;
  }
  while (size < limit && a.charCodeAt(a.length - size - 1) === b.charCodeAt(b.length - size - 1)) {
    size += 1;
  }
  return size;
}
