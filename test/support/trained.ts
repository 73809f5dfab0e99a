import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedFolder } from './paths';
import { temporaryFolder } from './temporary';

/** The embedded model as if it were trained on sequences of `tokens`: short runs pass that length. Its predictions stay the same. */
export function trainedOn(tokens: number): string {
  const folder = join(temporaryFolder(), `trained-on-${tokens}`);
  cpSync(embeddedFolder, folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, max_position_embeddings: tokens }));
  return folder;
}
