import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { WAIT_LIMIT_MS } from '../limits';
import { MEMORY_SCHEME, type ProbeAnswers, type Question } from './protocol';

const MANIFEST = {
  name: 'probe',
  publisher: 'two-heads-harness',
  version: '0.0.1',
  engines: { vscode: '^1.90.0' },
  main: './extension.js',
  activationEvents: ['*', `onFileSystem:${MEMORY_SCHEME}`],
  capabilities: { untrustedWorkspaces: { supported: true } },
};

/** Builds the probe into an extensions folder, the way an unpacked extension lies there. */
export async function installProbe(extensionsFolder: string): Promise<void> {
  const folder = join(extensionsFolder, `${MANIFEST.publisher}.${MANIFEST.name}-${MANIFEST.version}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify(MANIFEST));
  await build({
    entryPoints: [fileURLToPath(new URL('./extension.ts', import.meta.url))],
    outfile: join(folder, 'extension.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
    logLevel: 'silent',
  });
}

/** Asks the probe behind `socketPath`. Rejects when no extension host listens there or it does not answer in time. */
export function askProbe<Q extends Question>(socketPath: string, question: Q, argument = ''): Promise<ProbeAnswers[Q]> {
  return new Promise((resolve, reject) => {
    const path = `/${question}?argument=${encodeURIComponent(argument)}`;
    const call = request({ socketPath, path, timeout: WAIT_LIMIT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) {
          // Both ends are built from the same ProbeAnswers.
          resolve(JSON.parse(body) as ProbeAnswers[Q]);
        } else {
          reject(new Error(`The probe failed on '${question}': ${body}`));
        }
      });
    });
    call.once('timeout', () => call.destroy(new Error(`The probe did not answer '${question}' in ${WAIT_LIMIT_MS / 1000} s.`)));
    call.once('error', reject);
    call.end();
  });
}
