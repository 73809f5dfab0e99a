import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { root } from './paths';

const decompress = promisify(brotliDecompress);
const run = promisify(execFile);

/** Whether the npm package that carries SwiftShader is for this platform. */
export const hasSwiftShader = process.platform === 'linux' && process.arch === 'x64';

/**
 * Environment of a process in which ONNX Runtime's WebGPU provider runs without a GPU: on SwiftShader, a Vulkan device in
 * software, with the Vulkan loader, both of which the npm package `@sparticuz/chromium` carries. No Debian package is needed.
 *
 * They must be set before the process starts, so WebGPU is tested in child processes. Unpacked once, into `.vscode-test`.
 */
export async function swiftShaderEnvironment(): Promise<Record<string, string>> {
  const folder = join(root, '.vscode-test', 'swiftshader');
  if (!existsSync(folder)) {
    const archive = join(root, 'node_modules', '@sparticuz', 'chromium', 'bin', 'swiftshader.tar.br');
    const staging = `${folder}.${process.pid}`;
    await mkdir(staging, { recursive: true });
    await writeFile(join(staging, 'swiftshader.tar'), await decompress(await readFile(archive)));
    await run('tar', ['-xf', 'swiftshader.tar'], { cwd: staging });
    // Another test run may have been faster.
    await rename(staging, folder).catch(() => rm(staging, { recursive: true, force: true }));
  }
  return { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') };
}
