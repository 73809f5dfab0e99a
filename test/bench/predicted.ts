import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration, formatShare } from '../../src/core/format';
import { permutation, uniform } from '../../src/core/math/random';
import { makePlan, type Plan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import type { Calibration } from '../../src/core/predict/calibration';
import { devicePrediction } from '../../src/core/predict/prediction';
import { perLayer, type Scenario, scenarioLabel } from '../../src/core/scenario/scenario';
import type { ModelShape } from '../../src/core/shapes';
import { hiddenOf } from '../../src/engine/attend/pass';
import { type Device, openDevice } from '../../src/engine/attend/runtime/provider';
import { machineLoad } from '../../src/engine/load';
import { plainLlama } from '../../src/engine/read/model/architectures/llama';
import { type LoadedModel, loadModel, openModel } from '../../src/engine/read/model/load';
import { fillModel } from '../../src/engine/read/model/random-model';
import { elementsOf } from '../../src/engine/read/model/weights';
import { table } from './markdown';
import { type BenchContext, type Figure, median, type Section } from './section';

/** Points of each half, and the seed by which they are drawn. */
const usualPoints = 80;
const seed = 20_260_601;

/** Sizes that calibration does not measure, but for a few: lengths lie anywhere between the two. */
const lengths = [500, 9000] as const;
const blockSizes = [48, 96, 192, 256, 320, 384, 640, 900];
const scenarios: readonly Scenario[] = [
  { kind: 'causal' },
  { kind: 'full' },
  { kind: 'sliding-window', window: 300 },
  { kind: 'attention-sink', window: 700, sinks: 8 },
  { kind: 'local-window', window: 450 },
  { kind: 'average-case', seed: 5 },
  perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 150 }]),
];

/** Shapes of small random models, none of them one that calibration measures, beside the model that ships. */
const shapes: readonly Pick<ModelShape, 'layers' | 'width' | 'heads' | 'keyValueHeads' | 'headWidth' | 'feedForwardWidth'>[] = [
  { layers: 4, width: 192, heads: 6, keyValueHeads: 6, headWidth: 32, feedForwardWidth: 512 },
  { layers: 3, width: 320, heads: 5, keyValueHeads: 1, headWidth: 64, feedForwardWidth: 1280 },
  { layers: 12, width: 160, heads: 4, keyValueHeads: 2, headWidth: 40, feedForwardWidth: 480 },
  { layers: 2, width: 768, heads: 8, keyValueHeads: 4, headWidth: 96, feedForwardWidth: 2048 },
];

/** Work of a run, in floating-point operations, beyond which another point is drawn: the whole takes minutes, not hours. */
const mostWork = 150e9;

/** What either half may take, in milliseconds: with a calibration before them, both end within ten minutes. */
const longestHalfMs = 4.5 * 60_000;

interface Point {
  readonly model: LoadedModel;
  readonly plan: Plan;
}

interface Outcome {
  readonly model: string;
  readonly tokens: number;
  readonly blockSize: number;
  readonly scenario: string;
  /** Cores that other programs wanted before the run. */
  readonly others: number;
  readonly expected: number;
  readonly low: number;
  readonly high: number;
  readonly measured: number;
  readonly error: number;
  readonly inside: boolean;
}

/**
 * Predicted against measured times at points that calibration never saw, on the machine as it is and beside a program that keeps
 * one core busy: `npm run bench -- predicted`, with `--points=12` for fewer, and `--write` to put the table into
 * docs/predictions.md.
 */
export async function predicted(
  { quick, threads, log }: BenchContext,
  calibration: Calibration,
  args: readonly string[],
): Promise<Section> {
  const asked = args.find((arg) => arg.startsWith('--points='))?.slice('--points='.length);
  const count = asked === undefined ? (quick ? 4 : usualPoints) : Number(asked);
  const device = await openDevice('cpu', threads);
  const points = await drawPoints(count, calibration);
  const asItIs = await measure(points, device, calibration, (done) => log(`predicted, as the machine is: ${done} of ${count}`));
  const spinning = spin();
  let busy: readonly Outcome[];
  try {
    busy = await measure(points, device, calibration, (done) => log(`predicted, one core kept busy: ${done} of ${count}`));
  } finally {
    spinning.kill('SIGKILL');
  }
  const rows = [summary('as it is', asItIs), summary('one core kept busy', busy)];
  const section: Section = {
    name: 'predicted',
    title: 'Predicted against measured times',
    method: methodText(count, calibration),
    columns: {
      machine: 'machine',
      others: 'others want, cores',
      points: 'points',
      medianError: 'median error',
      inside: 'inside the interval',
      width: 'median interval, high / low',
      worst: 'worst',
      worstPoint: 'where',
    },
    rows,
    goals: quick ? [] : [asItIs, busy].flatMap((outcomes, index) => goalsOf(String(rows[index].machine), outcomes)),
  };
  await keep(section, { asItIs, busy, calibration }, args.includes('--write'));
  return section;
}

async function drawPoints(count: number, { scoreBytes }: Calibration): Promise<Point[]> {
  const shipped = await loadModel(await openModel('tiny-docs-5m', join(process.cwd(), 'media', 'models')));
  const random = shapes.map((shape, index) =>
    fillModel(`random-${index + 1}`, plainLlama({ ...shape, vocabulary: 2 }), (_name, { shape: [outputs, inputs = 1] }) =>
      new Float32Array(elementsOf([outputs, inputs])).fill(1 / inputs),
    ),
  );
  const models = [shipped, ...random];
  const next = uniform(seed);
  const one = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)];
  const points: Point[] = [];
  while (points.length < count) {
    const tokens = Math.round(lengths[0] * (lengths[1] / lengths[0]) ** next());
    const model = one(models);
    const scenario = one(scenarios);
    const request = planRequest(tokens, model.shape, { scenario, construction: 'fused', blockSize: one(blockSizes) });
    const plan = makePlan({ ...request, scoreBytes });
    if (plan.flops <= mostWork) {
      points.push({ model, plan });
    }
  }
  return points;
}

/**
 * Predicts and runs each point once, in random order, each on sessions of its own as a run's are: all, or those for which there is
 * time.
 */
async function measure(
  points: readonly Point[],
  device: Device,
  calibration: Calibration,
  log: (done: string) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const start = performance.now();
  for (const index of permutation(points.length, seed)) {
    if (outcomes.length > 0 && performance.now() - start > longestHalfMs) {
      log(`${outcomes.length}, since time is up,`);
      break;
    }
    const { model, plan } = points[index];
    const now = await machineLoad();
    const prediction = devicePrediction(plan, { ...calibration, now }, { peak: 0 });
    if (prediction?.interval === undefined) {
      throw new Error(`${scenarioLabel(plan.scenario)} is not predicted`);
    }
    const measured = await wallMs(model, plan, device);
    const { wallMs: expected, interval } = prediction;
    outcomes.push({
      model: model.name,
      tokens: plan.tokens,
      blockSize: plan.oracle.inputLength,
      scenario: scenarioLabel(plan.scenario),
      others: now.others,
      expected,
      low: interval.lowMs,
      high: interval.highMs,
      measured,
      error: Math.abs(expected / measured - 1),
      inside: interval.lowMs <= measured && measured <= interval.highMs,
    });
    if (outcomes.length % 5 === 0) {
      log(`${outcomes.length} after ${formatDuration(performance.now() - start)}`);
    }
  }
  return outcomes;
}

async function wallMs(model: LoadedModel, plan: Plan, device: Device): Promise<number> {
  const next = uniform(plan.tokens);
  const ids = Int32Array.from({ length: plan.tokens }, () => Math.floor(next() * model.shape.vocabulary));
  const start = performance.now();
  await hiddenOf(model, plan, ids, device);
  return performance.now() - start;
}

/** A program that keeps one core busy until it is killed, or its parent is gone. */
function spin(): ChildProcess {
  const source = 'const parent = process.ppid; for (;;) { for (let i = 0; i < 1e8; i += 1); if (process.ppid !== parent) process.exit(); }';
  return spawn(process.execPath, ['-e', source], { stdio: 'ignore' });
}

function summary(machine: string, outcomes: readonly Outcome[]): Record<string, Figure> {
  const worst = [...outcomes].sort((a, b) => b.error - a.error)[0];
  return {
    machine,
    others: median(outcomes.map(({ others }) => others)),
    points: outcomes.length,
    medianError: formatShare(median(outcomes.map(({ error }) => error))),
    inside: formatShare(insideShare(outcomes)),
    width: median(outcomes.map(({ low, high }) => high / low)),
    worst: formatShare(worst.error),
    worstPoint: `${worst.model}, N = ${worst.tokens}, M = ${worst.blockSize}, ${worst.scenario}: ${formatDuration(worst.expected)} expected, ${formatDuration(worst.measured)} measured`,
  };
}

function insideShare(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ inside }) => inside).length / outcomes.length;
}

function goalsOf(machine: string, outcomes: readonly Outcome[]): Section['goals'] {
  const error = median(outcomes.map((outcome) => outcome.error));
  const share = insideShare(outcomes);
  return [
    { goal: `Median error of predictions under 15%, ${machine}`, measured: formatShare(error), reached: error < 0.15 },
    { goal: `90% of measured times inside the interval, ${machine}`, measured: formatShare(share), reached: share >= 0.9 },
  ];
}

function methodText(count: number, { load, pass, tookMs }: Calibration): string {
  return `One calibration (${formatDuration(tookMs)}, residual ${formatShare(pass.fit.error)}, ${load.busy ? 'on a busy machine' : 'on a quiet machine'}), then ${count} points that it never saw: N from ${lengths[0]} to ${lengths[1]}, M from ${blockSizes[0]} to ${blockSizes[blockSizes.length - 1]}, seven scenarios, the model that ships and four random ones of other shapes. Each is predicted as \`plan\` does, with a look at the machine, and then run once, in random order.`;
}

/** Where docs/predictions.md has the table. */
const [begin, end] = ['<!-- predicted: npm run bench -- predicted --write -->', '<!-- /predicted -->'];

async function keep(section: Section, points: object, write: boolean): Promise<void> {
  const text = `${section.method}\n\n${table(section.columns, section.rows)}`;
  const folder = join(process.cwd(), 'artifacts');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'predicted.json'), `${JSON.stringify(points, null, 2)}\n`);
  await writeFile(join(folder, 'predicted.md'), `${text}\n`);
  if (write) {
    const path = join(process.cwd(), 'docs', 'predictions.md');
    const page = await readFile(path, 'utf8');
    const [before, after] = [page.indexOf(begin), page.indexOf(end)];
    if (before < 0 || after < before) {
      throw new Error(`${path} has no place for the table between ${begin} and ${end}`);
    }
    await writeFile(path, `${page.slice(0, before + begin.length)}\n\n${text}\n\n${page.slice(after)}`);
  }
}
