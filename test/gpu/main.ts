import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError, messageOf } from '../../src/core/errors';
import { listSupportedBackends } from '../../src/engine/onnxruntime';
import { describeEnvironment } from '../../src/engine/machine';
import { markdownOf } from '../bench/markdown';
import type { Figure, Section } from '../bench/section';
import { bundle } from './bundle';
import { cpuThreads, type GpuContext } from './step';
import { probeWebGpu, runSteps, type StepMessage, steps } from './steps';
import { findVulkan, type FoundVulkan } from './vulkan';

/** Minutes that the limits of the steps are shares of. */
const usualMinutes = 4;

/** How a step went, with the rows that it had by then. */
interface StepOutcome {
  readonly name: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly rows: Readonly<Record<string, Figure>>[];
}

/**
 * `npm run check:gpu`: what a GPU computes, against float64, and how fast it is. docs/benchmarks.md says how to run it elsewhere.
 *
 * The steps run one after the other in one process; one that hangs or dies is ended, and the others run in a new one.
 */
async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      software: { type: 'boolean', default: false },
      bundle: { type: 'boolean', default: false },
      probe: { type: 'boolean', default: false },
      run: { type: 'boolean', default: false },
      providers: { type: 'string', default: 'webgpu,cuda' },
      steps: { type: 'string', default: Object.keys(steps).join() },
      minutes: { type: 'string', default: String(usualMinutes) },
      out: { type: 'string', default: join('artifacts', 'gpu') },
      carried: { type: 'string' },
    },
  });
  if (flags.bundle) {
    return bundle();
  }
  if (flags.probe) {
    return probeWebGpu();
  }
  const context: GpuContext = { quick: flags.quick, providers: providersOf(flags.providers) };
  const names = flags.steps.split(',');
  const unknown = names.find((name) => !(name in steps));
  if (unknown !== undefined) {
    throw new InputError(`There is no step "${unknown}"; the steps are ${Object.keys(steps).join(', ')}.`);
  }
  const minutes = Number(flags.minutes);
  if (!(minutes > 0)) {
    throw new InputError(`--minutes "${flags.minutes}" is no time; give a number above 0.`);
  }
  if (flags.run) {
    return runSteps(names, context);
  }
  const deadline = performance.now() + minutes * 60_000;
  const none: FoundVulkan = { variables: {}, tried: [] };
  const vulkan = context.providers.includes('webgpu') ? await findVulkan(flags.carried, flags.software) : none;
  vulkan.tried.forEach(({ name, answer }) => log(`${name}: ${answer}`));
  const machine = await machineSection(vulkan, context);
  const outcomes = await runAll(names, flags, vulkan.variables, deadline);
  const bad = await report(flags.out, machine, outcomes);
  process.exitCode = bad ? 1 : 0;
}

function log(line: string): void {
  process.stderr.write(`check:gpu: ${line}\n`);
}

function providersOf(text: string): GpuContext['providers'] {
  const known = ['webgpu', 'cuda', 'cpu'] as const;
  return text.split(',').map((name) => {
    const provider = known.find((each) => each === name);
    if (provider === undefined) {
      throw new InputError(`Provider "${name}" is not checked here; use some of ${known.join(', ')}.`);
    }
    return provider;
  });
}

type Flags = Readonly<Record<'providers' | 'minutes', string>> & { readonly quick: boolean };

/** Runs the steps, in as many processes as it takes. */
async function runAll(
  names: readonly string[],
  flags: Flags,
  variables: Readonly<Record<string, string>>,
  deadline: number,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  let left = names;
  while (left.length > 0 && performance.now() < deadline) {
    const args = ['--run', '--steps', left.join(), '--providers', flags.providers, '--minutes', flags.minutes];
    const child = fork(__filename, [...args, ...(flags.quick ? ['--quick'] : [])], {
      env: { ...process.env, ...variables },
      // NaN and infinity do not go through JSON.
      serialization: 'advanced',
    });
    outcomes.push(...(await outcomesOf(child, left, deadline, Number(flags.minutes))));
    left = names.filter((name) => outcomes.every((outcome) => outcome.name !== name));
  }
  return [...outcomes, ...left.map((name) => ({ name, outcome: 'not run: no time was left', seconds: 0, rows: [] }))];
}

/** The outcomes of the steps that a process ran; the last of them may have ended it. */
async function outcomesOf(child: ChildProcess, names: readonly string[], deadline: number, minutes: number): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  let rows = new Map<string, Readonly<Record<string, Figure>>>();
  let start = performance.now();
  let over: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const end = (outcome: string): void => {
    clearTimeout(timer);
    const name = names[outcomes.length];
    const seconds = (performance.now() - start) / 1000;
    log(`${name}: ${outcome}, ${seconds.toFixed(0)} s, ${rows.size} rows`);
    outcomes.push({ name, outcome, seconds, rows: [...rows.values()] });
    // Drivers take their time to close, or fail at it: nothing is lost with the process.
    if (outcomes.length === names.length) {
      child.kill('SIGKILL');
    }
  };
  child.on('message', (message: StepMessage) => {
    if (message.kind === 'row') {
      rows.set(message.key, message.row);
      log(JSON.stringify(message.row));
    } else if (message.kind === 'began') {
      start = performance.now();
      rows = new Map();
      const ms = Math.max(0, Math.min((steps[message.step].limit * 1000 * minutes) / usualMinutes, deadline - start));
      timer = setTimeout(() => {
        over = `ended at its limit of ${(ms / 1000).toFixed(0)} s`;
        child.kill('SIGKILL');
      }, ms);
    } else {
      end(message.kind === 'failed' ? `failed: ${message.message}` : 'done');
    }
  });
  // What it told comes before the end of its channel, but not before its own end.
  const [[code, signal]] = (await Promise.all([once(child, 'exit'), once(child, 'disconnect')])) as [
    [number | null, string | null],
    unknown,
  ];
  if (outcomes.length < names.length) {
    end(over ?? `its process ended with ${signal ?? code}`);
  }
  return outcomes;
}

/** What there is to check. */
async function machineSection({ tried }: FoundVulkan, { providers }: GpuContext): Promise<Section> {
  const query = ['--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem', '--format=csv,noheader'];
  const card = await new Promise<string>((resolve) => {
    execFile('nvidia-smi', query, { timeout: 20_000 }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : `nvidia-smi does not run: ${messageOf(error).split('\n')[0]}`);
    });
  });
  let kernel = 'none';
  try {
    kernel = readFileSync('/proc/driver/nvidia/version', 'utf8').split('\n')[0];
  } catch {
    // There is no such driver.
  }
  return {
    name: 'machine',
    title: 'The machine',
    method: 'Card: name, driver, memory, highest clocks. Vulkan: each way to a driver that was tried, until WebGPU opened.',
    columns: { name: 'what', answer: 'is' },
    rows: [
      { name: 'card', answer: card },
      { name: 'kernel driver', answer: kernel },
      {
        name: 'providers in ONNX Runtime',
        answer: listSupportedBackends()
          .map((backend) => backend.name)
          .join(', '),
      },
      { name: 'providers checked', answer: providers.join(', ') },
      ...tried.map(({ name, answer }) => ({ name: `Vulkan, ${name}`, answer })),
    ],
    goals: [],
  };
}

/** Writes the results as JSON and as Markdown. @returns whether a check failed or a step did not end well */
async function report(out: string, machine: Section, outcomes: readonly StepOutcome[]): Promise<boolean> {
  const sections = outcomes.map(({ name, outcome, rows }): Section => {
    const { section } = steps[name];
    const method = outcome === 'done' ? section.method : `${section.method} **This step did not end: ${outcome}.**`;
    // A row of a device that does not open has two figures and a note.
    const blank = Object.fromEntries(Object.keys(section.columns).map((column) => [column, '']));
    return { ...section, method, name, rows: rows.map((row) => ({ ...blank, ...row })), goals: [] };
  });
  const environment = describeEnvironment();
  // Every row belongs into the tables: such a run is not repeated soon.
  const markdown = markdownOf([machine, ...sections], environment, cpuThreads, Infinity);
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'gpu-check.json'), `${JSON.stringify({ environment, threads: cpuThreads, machine, outcomes }, null, 2)}\n`);
  await writeFile(join(out, 'gpu-check.md'), `${markdown}\n`);
  process.stdout.write(`${markdown}\n`);
  const verdicts = outcomes.filter(({ name }) => name === 'exact').map(({ rows }) => rows.map(({ right }) => right));
  // Where no provider opens, nothing was checked.
  const bad = verdicts.some((all) => all.includes('**no**') || !all.includes('yes'));
  return bad || outcomes.some(({ outcome }) => outcome !== 'done');
}

main().catch((error: unknown) => {
  process.stderr.write(`check:gpu: ${messageOf(error)}\n`);
  process.exitCode = error instanceof InputError ? 2 : 1;
});
