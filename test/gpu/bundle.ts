import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { InputError, messageOf } from '../../src/core/errors';
import { root } from '../support/paths';
import { swiftShaderEnvironment } from '../support/swiftshader';
import { withoutLocales } from './node-binary';

const run = promisify(execFile);

/** Debian's packages with Vulkan's loader and what NVIDIA's drivers may need beside it. */
const packages = [
  ...['libvulkan1', 'libegl1', 'libglvnd0', 'libgl1', 'libglx0'],
  ...['libx11-6', 'libxext6', 'libxcb1', 'libxau6', 'libxdmcp6', 'libbsd0', 'libmd0'],
];

/**
 * Packs what the check needs on a Linux machine with a GPU and nothing else into `.cache/gpu-check`: this Node, ONNX Runtime with its
 * native library for Linux x64, Vulkan's loader. The check's own code lies there already.
 *
 * @throws InputError on another kind of machine, and without the programs that pack
 */
export async function bundle(): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new InputError(`A bundle takes this machine's own Node along, for ${process.platform}-${process.arch}; make it on linux-x64.`);
  }
  const folder = join(root, '.cache', 'gpu-check');
  const stage = join(folder, 'stage');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(join(stage, 'lib'), { recursive: true });
  const modules = join(root, 'node_modules');
  const library = join('onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64');
  for (const part of [
    ...['onnxruntime-node/package.json', 'onnxruntime-node/dist', library],
    ...['onnxruntime-common/package.json', 'onnxruntime-common/dist/cjs'],
  ]) {
    cpSync(join(modules, part), join(stage, 'node_modules', part), {
      recursive: true,
      // Those of CUDA are hundreds of megabytes.
      filter: (source) => !/\.map$|\.d\.ts$|providers_(cuda|tensorrt|shared)/.test(source),
    });
  }
  writeFileSync(join(stage, 'node'), withoutLocales(readFileSync(process.execPath)), { mode: 0o755 });
  await packed('strip', ['--strip-all', join(stage, 'node')]);
  await packed(join(stage, 'node'), ['-e', "new Intl.NumberFormat('en-US').format(1)"]);
  const loader = await stageLoader(join(stage, 'lib'));
  copyFileSync(join(root, 'test', 'gpu', 'run.sh'), join(folder, 'run.sh'));
  const archive = join(folder, 'bundle.tar.xz');
  // One thread finds what is alike in all of it; the filter is for x86 code.
  await packed('bash', ['-c', 'tar -c -C "$0" . | xz -T1 --x86 --lzma2=preset=9e,dict=64MiB >"$1"', stage, archive]);
  rmSync(stage, { recursive: true });
  const bytes = ['run.sh', 'bundle.tar.xz', 'main.js'].reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  process.stdout.write(`.cache/gpu-check: ${(bytes / 2 ** 20).toFixed(1)} MiB, with ${loader}. On the other machine:\n`);
  process.stdout.write('bash .cache/gpu-check/run.sh --out DIR\n');
}

/** Runs a program of the packing. @throws InputError with what it said */
async function packed(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args);
  } catch (error) {
    throw new InputError(
      `${basename(program)} failed (${messageOf(error).split('\n').slice(0, 2).join(' ')}); install binutils and xz-utils.`,
    );
  }
}

/** Vulkan's loader from Debian's packages, or where they cannot be had, the one that Chromium carries. @returns which */
async function stageLoader(target: string): Promise<string> {
  const folder = join(tmpdir(), `two-heads-loader-${process.pid}`);
  mkdirSync(folder);
  try {
    await run('apt-get', ['download', ...packages], { cwd: folder });
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', name, 'all'], { cwd: folder });
    }
    const libraries = join(folder, 'all', 'usr', 'lib', 'x86_64-linux-gnu');
    for (const name of readdirSync(libraries).filter((each) => each.includes('.so'))) {
      cpSync(join(libraries, name), join(target, name), { dereference: true });
    }
    return `Vulkan's loader and ${packages.length - 1} libraries from Debian's packages`;
  } catch (error) {
    const chromium = join((await swiftShaderEnvironment()).LD_LIBRARY_PATH, 'libvulkan.so.1');
    if (!existsSync(chromium)) {
      throw error;
    }
    cpSync(chromium, join(target, basename(chromium)));
    return `Chromium's Vulkan loader alone, because apt-get gave none (${messageOf(error).split('\n')[0]})`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
