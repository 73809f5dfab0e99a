import { formatShare } from '../core/format';
import type { OnProgress } from '../core/report/phases';

/** Progress on stderr: one line rewritten on a terminal, a line per tenth elsewhere. */
export function progressPrinter(stream: NodeJS.WriteStream, title: string): OnProgress {
  let lastTenth = -1;
  let nextLine = 0;
  return ({ fraction, phase, message }) => {
    const line = `${title}: ${formatShare(fraction).padStart(4)} ${phase}, ${message}`;
    if (stream.isTTY) {
      if (fraction === 1 || performance.now() >= nextLine) {
        nextLine = performance.now() + 100;
        stream.write(`\r\u001b[2K${line}${fraction === 1 ? '\n' : ''}`);
      }
      return;
    }
    const tenth = Math.floor(fraction * 10);
    if (tenth > lastTenth) {
      lastTenth = tenth;
      stream.write(`${line}\n`);
    }
  };
}
