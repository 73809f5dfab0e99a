import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelsFolder } from './paths';

/**
 * A text on which the tokenizer of `writeEndlessModel` never ends; long, since patterns may take the longer the longer the text:
 * five seconds, which a signal has to come within.
 */
export const endlessText = `${'b'.repeat(2_000_000)}${'a'.repeat(80)}b`;

/** Writes a model without weights whose tokenizer has a pattern that passes every check of its shape, and may never end. */
export function writeEndlessModel(folder: string): void {
  const ships = join(modelsFolder, 'tiny-docs-5m');
  for (const name of ['config.json', 'tokenizer_config.json']) {
    copyFileSync(join(ships, name), join(folder, name));
  }
  const tokenizer = JSON.parse(readFileSync(join(ships, 'tokenizer.json'), 'utf8')) as Record<string, unknown>;
  const slow = { type: 'Split', pattern: { Regex: '(a|aa)+$' }, behavior: 'Isolated', invert: false };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...tokenizer, pre_tokenizer: slow }));
}
