import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root. */
export const root = join(__dirname, '..', '..');
export const modelsFolder = join(root, 'media', 'models');
export const embeddedFolder = join(modelsFolder, 'tiny-docs-5m');
export const samplePrompt = join(root, 'media', 'samples', 'long-prompt.md');

/** The sample prompt's text. */
export function sampleText(): string {
  return readFileSync(samplePrompt, 'utf8');
}
