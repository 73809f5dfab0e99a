import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root. */
export const root = join(__dirname, '..', '..');
export const modelsFolder = join(root, 'media', 'models');
export const embeddedFolder = join(modelsFolder, 'tiny-docs-5m');
/** The sample that *Open the Sample Prompt* opens and `npm run demo` runs: within the 2,048 tokens that the embedded model was trained on. */
export const firstPrompt = join(root, 'media', 'samples', 'prompt.md');
/** The long sample, of 4,957 tokens. */
export const samplePrompt = join(root, 'media', 'samples', 'long-prompt.md');

/** The long sample's text. */
export function sampleText(): string {
  return readFileSync(samplePrompt, 'utf8');
}
