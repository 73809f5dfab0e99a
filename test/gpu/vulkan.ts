import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../bench/section';
import { swiftShaderEnvironment } from '../support/swiftshader';

/** Where drivers say which library is theirs, and where their libraries are, on machines of several kinds. */
const driverFolders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/nvidia/share/vulkan/icd.d'];
const libraryFolders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/local/nvidia/lib64', '/usr/local/nvidia/lib', '/usr/local/lib'];

/** NVIDIA's Vulkan driver is in either library; the second needs no X11. */
const nvidiaLibraries = ['libGLX_nvidia.so.0', 'libEGL_nvidia.so.0'];

/** Longest that a process may take to open a device, and that all tries may take. */
const probeMs = 20_000;
const allProbesMs = 60_000;

/** Variables under which a process may find a Vulkan driver. */
interface Surroundings {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What was found: the variables under which WebGPU opens, if it does under any, and what each try said. */
export interface FoundVulkan {
  readonly variables: Readonly<Record<string, string>>;
  readonly tried: readonly Readonly<Record<string, Figure>>[];
}

/**
 * Finds out how a Vulkan driver is reached here: as the machine is, with the loader that was carried along, with each driver file that
 * there is, and with one of our own for NVIDIA's libraries. Each is tried in a process of its own, which opens WebGPU.
 *
 * @param carried folder with `lib`, where libraries were carried along
 * @param software use SwiftShader, which is no GPU, and nothing else
 */
export async function findVulkan(carried: string | undefined, software: boolean): Promise<FoundVulkan> {
  const tried: Record<string, Figure>[] = [];
  const deadline = performance.now() + allProbesMs;
  for (const { name, variables } of software ? [await swiftShader()] : surroundings(carried)) {
    if (performance.now() > deadline) {
      tried.push({ name: 'further ways', answer: 'not tried: no time was left' });
      break;
    }
    const answer = await probe(variables);
    tried.push({ name, answer });
    if (answer.startsWith(opened)) {
      return { variables, tried };
    }
  }
  return { variables: {}, tried };
}

const opened = 'opens';

/** What `--probe` prints where a device opened. */
export function openedLine(name: string): string {
  return `${opened} ${name}`;
}

async function swiftShader(): Promise<Surroundings> {
  return { name: 'SwiftShader', variables: await swiftShaderEnvironment() };
}

function surroundings(carried: string | undefined): Surroundings[] {
  const before = process.env.LD_LIBRARY_PATH ?? '';
  const driver = libraryFolders.filter((folder) => nvidiaLibraries.some((library) => existsSync(join(folder, library))));
  const path = (...folders: readonly string[]): Record<string, string> => ({
    LD_LIBRARY_PATH: [...folders, ...driver, ...(before === '' ? [] : [before])].join(':'),
  });
  const loaders: Surroundings[] = [
    { name: 'the loader that is here', variables: path() },
    ...(carried === undefined ? [] : [{ name: 'the carried loader', variables: path(join(carried, 'lib')) }]),
  ];
  const files = [
    ...driverFolders
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((file) => /nvidia.*\.json$/.test(file)),
    ...ownDriverFiles(driver),
  ];
  return [
    { name: 'as the machine is', variables: {} },
    ...loaders,
    ...loaders.flatMap(({ name, variables }) =>
      files.map((file) => ({ name: `${name}, ${file}`, variables: { ...variables, VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file } })),
    ),
  ];
}

/** Driver files for NVIDIA's libraries, by their paths and, for the loader to find, by their names. */
function ownDriverFiles(folders: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'two-heads-vulkan-'));
  // The steps may need them to the end.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return nvidiaLibraries.map((library) => {
    const home = folders.find((each) => existsSync(join(each, library)));
    const file = join(folder, `${library}.json`);
    const driver = { library_path: home === undefined ? library : join(home, library), api_version: '1.3.0' };
    writeFileSync(file, JSON.stringify({ file_format_version: '1.0.0', ICD: driver }));
    return file;
  });
}

/** One line: that WebGPU opened, and on what, or why not, with what Vulkan's loader said. */
async function probe(variables: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, VK_LOADER_DEBUG: 'error', ...variables }, timeout: probeMs, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [__filename, '--probe'], options, (error, stdout, stderr) => {
      const answer = stdout.trim();
      const why = `${stderr.trim()} ${error?.killed === true ? `(no answer in ${probeMs / 1000} s)` : (error?.signal ?? '')}`;
      resolve(
        (answer.startsWith(opened) ? answer : `${answer} ${why}`)
          .replace(/[\s|]+/g, ' ')
          .trim()
          .slice(0, 600),
      );
    });
  });
}
