import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that goes when the test ends, or when `done` says. */
export function temporaryFolder(done: (act: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-test-'));
  done(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
