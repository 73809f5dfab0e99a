import { assignments, contextParallelSchedule } from '../../src/core/plan/context-parallel';
import type { ModelShape } from '../../src/core/shapes';
import type { Section } from './section';

/** Machines on paper: what each sustains, and the link between them. */
const fleets = [
  { machines: '8 CPUs, 1 Gbit/s', flopsPerSecond: 1.5e12, bytesPerSecond: 125e6, latency: 2e-4, bytesPerElement: 4 },
  { machines: '8 CPUs, 10 Gbit/s', flopsPerSecond: 1.5e12, bytesPerSecond: 1.25e9, latency: 1e-4, bytesPerElement: 4 },
  { machines: '8 GPUs, 10 Gbit/s', flopsPerSecond: 4e14, bytesPerSecond: 1.25e9, latency: 1e-4, bytesPerElement: 2 },
  { machines: '8 GPUs, 400 Gbit/s', flopsPerSecond: 4e14, bytesPerSecond: 50e9, latency: 2e-5, bytesPerElement: 2 },
] as const;

const lengths = [131_072, 1_048_576] as const;
const workers = 8;

/** What a causal prompt takes on eight machines, by simulation of its schedule: nothing is measured. */
export function contextParallel(model: ModelShape): Section {
  const rows = fleets.flatMap(({ machines, ...fleet }) =>
    lengths.flatMap((tokens) =>
      assignments.map((assignment) => {
        const { seconds, secondsAlone, busy, received } = contextParallelSchedule({ model, tokens, workers, assignment, ...fleet });
        return {
          machines,
          tokens: tokens.toLocaleString('en'),
          assignment,
          alone: timeOf(secondsAlone),
          together: timeOf(seconds),
          faster: (secondsAlone / seconds).toFixed(1),
          busy: `${(100 * busy).toFixed(0)}%`,
          received: `${(received / 2 ** 30).toFixed(0)} GiB`,
        };
      }),
    ),
  );
  return {
    name: 'contextParallel',
    title: 'Causal prompts over machines, on paper',
    method: `Simulated for llama-3.1-8b: each of ${workers} machines computes at 1.5 TFLOP/s in float32 (CPUs) or 400 TFLOP/s in bfloat16 (GPUs), and its link carries so much each way. Nothing is measured.`,
    columns: {
      machines: 'machines',
      tokens: 'N',
      assignment: 'chunks',
      alone: 'one machine',
      together: 'eight',
      faster: 'times faster',
      busy: 'busy',
      received: 'received at most',
    },
    rows,
    goals: [],
  };
}

function timeOf(seconds: number): string {
  const { unit, size } = seconds < 120 ? { unit: 's', size: 1 } : seconds < 7200 ? { unit: 'min', size: 60 } : { unit: 'h', size: 3600 };
  return `${(seconds / size).toPrecision(3)} ${unit}`;
}
