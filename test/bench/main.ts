import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calibrate } from '../../src/engine/tasks/calibrate/calibrate';
import { describeEnvironment } from '../../src/engine/machine';
import { openModel } from '../../src/engine/read/model/load';
import { openDevice } from '../../src/engine/attend/runtime/provider';
import { activation } from './activation';
import { atlas } from './atlas';
import { attention } from './attention';
import { contextParallel } from './context-parallel';
import { fleet } from './fleet';
import { generation } from './generation';
import { measureGeneration } from './generation-process';
import { hints } from './hints';
import { lab } from './lab';
import { matMul } from './mat-mul';
import { measurePeak, memory } from './memory';
import { peaks } from './peaks';
import { planning } from './planning';
import { predicted } from './predicted';
import { retrieval } from './retrieval';
import { segments } from './segments';
import { tokens } from './tokens';
import { typing } from './typing';
import { verification } from './verification';
import { markdownOf } from './markdown';
import type { BenchContext, Section } from './section';

/**
 * The benchmark: `npm run bench`, or parts of it, `npm run bench -- attention hints`; `--quick` for small sizes.
 *
 * Writes artifacts/benchmarks.json and prints the tables of docs/benchmarks.md.
 */
async function main(args: readonly string[]): Promise<void> {
  const threads = (await openDevice('cpu', 0)).threads;
  if (args[0] === '--peak') {
    await measurePeak(Number(args[1]), Number(args[2]));
    return;
  }
  if (args[0] === '--generation') {
    await measureGeneration(args[1]);
    return;
  }
  const context: BenchContext = { quick: args.includes('--quick'), threads, log: (line) => process.stderr.write(`bench: ${line}\n`) };
  const calibration = async (): ReturnType<typeof calibrate> => {
    context.log('calibration');
    return calibrate(await openDevice('cpu', threads), new AbortController().signal, () => undefined);
  };
  const parts: Readonly<Record<string, () => Promise<Section>>> = {
    matMul: () => matMul(context),
    attention: () => attention(context),
    predicted: async () => predicted(context, await calibration(), args),
    planning: () => planning(context),
    hints: async () => hints(context, await calibration()),
    tokens: () => tokens(context),
    typing: () => typing(context),
    lab: () => lab(context),
    activation: () => activation(context),
    memory: () => memory(context),
    segments: () => segments(context),
    atlas: () => atlas(context),
    peaks: () => peaks(context),
    generation: () => generation(context, args),
    verification: () => verification(context),
    retrieval: () => retrieval(context),
    fleet: () => fleet(context),
    contextParallel: async () => contextParallel((await openModel('llama-3.1-8b', join(process.cwd(), 'media', 'models'))).config.shape),
  };
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const unknown = wanted.find((name) => !(name in parts));
  if (unknown !== undefined) {
    throw new Error(`There is no part "${unknown}"; the parts are ${Object.keys(parts).join(', ')}.`);
  }
  const sections: Section[] = [];
  for (const [name, run] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) {
      sections.push(await run());
    }
  }
  const environment = describeEnvironment();
  const folder = join(process.cwd(), 'artifacts');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'benchmarks.json'), `${JSON.stringify({ environment, threads, sections }, null, 2)}\n`);
  process.stdout.write(`${markdownOf(sections, environment, threads)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message.slice(0, 2000) : String(error)}\n`);
  process.exitCode = 1;
});
