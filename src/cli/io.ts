import { InputError, messageOf } from '../core/errors';
import { formatShare } from '../core/format';
import type { Option } from '../core/options/option';
import { toJson } from '../core/report/json';
import { type OnProgress, withTimeLeft } from '../core/report/phases';
import { visible, visibleLines } from '../core/text/printable';
import { writeWhole as write } from '../engine/store/files';
import type { DigestStore } from '../engine/store/digests';
import type { Places } from '../engine/tasks/plan';

/** Where text goes: a stream of the process, or what a test collects. */
interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** All that the command line knows of its surroundings: it reads and writes through this only, and files that the user names. */
export interface Io extends Places {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  readonly digests: DigestStore;
  /** The bundled engine process. */
  readonly engineEntry: string;
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
}

/** Flags as the user gave them, by name without dashes: text, several texts, or whether a switch is on. */
export type Given = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/** The flag that asks for a document instead of text. */
export const jsonOption: Option = {
  flag: 'json',
  description: 'Print one JSON document on stdout.',
  value: { type: 'switch' },
  default: false,
};

/** Prints a result on stdout: one JSON document where that was asked for, else text for people, of which nothing controls a terminal. */
export function print({ stdout }: Io, { json }: Given, document: unknown, text: () => string): void {
  stdout.write(`${json === true ? toJson(document, 2) : visibleLines(text())}\n`);
}

/** Progress on stderr: one line rewritten on a terminal, a line per tenth elsewhere. @param fraction of the work that is done */
export function linePrinter({ stderr }: Io): (fraction: number, line: string) => void {
  let lastTenth = -1;
  let nextLine = 0;
  return (fraction, text) => {
    const line = visible(text);
    if (stderr.isTTY === true) {
      if (fraction === 1 || performance.now() >= nextLine) {
        nextLine = performance.now() + 100;
        stderr.write(`\r\u001b[2K${line}${fraction === 1 ? '\n' : ''}`);
      }
      return;
    }
    const tenth = Math.floor(fraction * 10);
    if (tenth > lastTenth) {
      lastTenth = tenth;
      stderr.write(`${line}\n`);
    }
  };
}

/** A run's progress on stderr. */
export function progressPrinter(io: Io, title: string): OnProgress {
  const print = linePrinter(io);
  const tell: OnProgress = ({ fraction, phase, message }) =>
    print(fraction, `${title}: ${formatShare(fraction).padStart(4)} ${phase}, ${message}`);
  return withTimeLeft(tell, () => performance.now());
}

/**
 * Writes a file whole or not at all.
 *
 * @param flag where the user named the path, for the refusal
 * @throws InputError where the folder cannot be written
 */
export async function writeWhole(path: string, content: string | Uint8Array | readonly Uint8Array[], flag = '--out'): Promise<void> {
  await write(path, content).catch((error: unknown) => {
    throw unwritable(path, messageOf(error), flag);
  });
}

/** How systems say that there is no room: on the disk, for this user, in one file. */
const noRoom = /ENOSPC|EDQUOT|EFBIG/;

/** What is said of a path that cannot be written. @param flag where the user named it */
export function unwritable(path: string, reason: string, flag: string): InputError {
  const fix = noRoom.test(reason) ? 'make room, or give a path on another disk' : 'give a path in a folder that exists';
  return new InputError(`${flag} ${path} cannot be written (${reason}); ${fix}.`);
}
