import { join } from 'node:path';
import { root } from '../../support/paths';
import type { WorkbenchOptions } from './workbench';

/** What every test starts VS Code with: the packaged extension, and the folder for screenshots. */
export const packaged: Pick<WorkbenchOptions, 'vsix' | 'artifacts'> = {
  vsix: join(root, `two-heads-${process.platform}-${process.arch}.vsix`),
  artifacts: join(root, 'artifacts', 'screenshots'),
};
