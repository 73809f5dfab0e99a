import type { SimulationOptions } from '../../../core/options/table';
import { isNativePlan, nativePlan, type Plan } from '../../../core/plan/plan';
import { haloOf, lengthOf, type PromptShard, readsOf } from '../../../core/shards/cut';
import { combineShards, type ShardedReport, type ShardResult } from '../../../core/shards/report';
import { reachesOf, scenarioLabel } from '../../../core/scenario/scenario';
import { nativeScenario } from '../../../core/shapes';
import { checkFloat16, openPlannedDevice } from '../../attend/runtime/provider';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { qualityObstacle } from '../../attend/verify/quality';
import { checkMemory, describeEnvironment } from '../../machine';
import { loadModel } from '../../read/model/load';
import { digestOf, type Prompt } from '../../read/prompt';
import type { DigestStore } from '../../store/digests';
import { type Results, unitOf } from '../evaluate/results';
import { planDocument, type PlannedPrompt, planPrompt } from '../plan';
import { checkModel, type SimulationContext } from '../simulate';
import { baselineReaches, shardPlan, ShardRunner, shardsOf } from './shard-runner';

/** What surrounds a simulation in shards. */
interface ShardsContext extends SimulationContext {
  /** Tells results of one model from those of others. */
  readonly digests: DigestStore;
  /** What is known already, and where more of it goes. */
  readonly results: Results;
}

/** A prompt of which shards were run, all of them or one. */
export interface MeasuredShards {
  readonly parts: number;
  /** Shards whose results are known. */
  readonly known: number;
  /** Those of this run that were known before. */
  readonly resumed: number;
  /** All of them together; undefined while some are missing. */
  readonly report: ShardedReport | undefined;
}

/** A shard with what its result is known by. */
interface ShardUnit {
  readonly shard: PromptShard;
  readonly id: string;
  /** Counted from 1. */
  readonly part: number;
}

/**
 * Runs a prompt in shards that need nothing of each other, one after another: what every token sees is local, so that a shard
 * with its halo gives the same rows as the whole prompt.
 *
 * @param parts how many shards
 * @param part the only one to run, counted from 1; undefined for all
 * @throws InputError for a mask that is not local, a halo as long as the prompt, and all that refuses a simulation; CancelledError
 */
export async function simulateShards(
  prompt: Prompt,
  options: SimulationOptions,
  { parts, part }: { readonly parts: number; readonly part?: number | undefined },
  context: ShardsContext,
): Promise<MeasuredShards> {
  const { results } = context;
  const planned = await planPrompt(prompt, options, context);
  const { plan, model } = planned;
  const shards = shardsOf(plan, parts);
  await checkModel(planned);
  const obstacle = options.quality ? qualityObstacle(plan, model.config) : 'Quality was switched off for this run.';
  const largest = largestPlan(plan, shards, obstacle === null);
  checkMemory(largest, options.memoryLimit);

  const units = await unitsOf(planned, shards, options, context);
  const asked = units.filter((unit) => part === undefined || unit.part === part);
  const resumed = asked.filter(({ id }) => results.get(id) !== undefined).length;
  if (resumed < asked.length) {
    await runUnits(asked, planned, options, context);
  }
  const known = units.flatMap(({ shard, id }) => {
    const result = results.get(id) as ShardResult | undefined;
    return result === undefined ? [] : [{ ...shard, result }];
  });
  if (known.length < parts) {
    return { parts, known: known.length, resumed, report: undefined };
  }
  const document = planDocument(planned);
  const combined = combineShards(known, document.model);
  const report: ShardedReport = {
    ...document,
    shards: known,
    halo: haloOf(reachesOf(plan.scenario, plan.model.layers)),
    shardBytes: largest.bytes,
    ...combined,
    qualityNote: obstacle ?? (combined.quality?.baseline === null ? baselineNote(plan) : null),
    environment: describeEnvironment(),
  };
  return { parts, known: parts, resumed, report };
}

function baselineNote({ model }: Plan): string {
  return `The model's own attention, ${scenarioLabel(nativeScenario(model))}, is not local, so that no shard can be held against it; two-heads evaluate compares predictions in windows.`;
}

/** The plan with the highest peak among those that are run for shards. */
function largestPlan(plan: Plan, shards: readonly PromptShard[], scored: boolean): Plan {
  const most = (reads: readonly PromptShard['reads'][]): PromptShard['reads'] =>
    reads.reduce((most, own) => (lengthOf(own) > lengthOf(most) ? own : most));
  const own = shardPlan(plan, most(shards.map(({ reads }) => reads)));
  const reaches = scored && !isNativePlan(plan) ? baselineReaches(plan) : undefined;
  if (reaches === undefined) {
    return own;
  }
  const baseline = nativePlan({ ...plan, tokens: lengthOf(most(shards.map(({ rows }) => readsOf(rows, reaches, plan.tokens)))) });
  return baseline.bytes > own.bytes ? baseline : own;
}

/** The shards with what their results are known by: the tokens, the model's content, and everything that numbers depend on. */
async function unitsOf(
  { plan, tokens, model, calibration }: PlannedPrompt,
  shards: readonly PromptShard[],
  { provider, threads, executor, precision, verify, quality }: SimulationOptions,
  { results, digests }: ShardsContext,
): Promise<ShardUnit[]> {
  const { twoHeads, onnxruntime } = describeEnvironment();
  // Reading all weights for their digest is worth it only where results may be those of other weights.
  const digest = results.kept ? (await digests.ofModel(model.folder)).digest : model.name;
  const about = {
    ...{ model: digest, twoHeads, onnxruntime, tokens: digestOf(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength)) },
    ...{ scenario: plan.scenario, construction: plan.construction, oracle: plan.oracle, scoreBytes: plan.scoreBytes ?? null },
    ...{ provider: provider === 'auto' ? (calibration?.provider ?? 'cpu') : provider, threads, executor, precision, verify, quality },
  };
  return shards.map((shard, index) => ({ shard, id: unitOf({ ...about, ...shard }), part: index + 1 }));
}

/** Runs what is not known, and leaves out what another process is running. */
async function runUnits(
  units: readonly ShardUnit[],
  planned: PlannedPrompt,
  options: SimulationOptions,
  { results, signal, onProgress }: ShardsContext,
): Promise<void> {
  const device = await openPlannedDevice(options, planned.calibration);
  if (options.precision === 'float16') {
    await checkFloat16(device);
  }
  const runner = new ShardRunner(await loadModel(planned.model), device, planned, options);
  let highest = 0;
  try {
    for (const [index, { shard, id, part }] of units.entries()) {
      throwIfCancelled(signal);
      const claim = results.get(id) === undefined ? await results.claim(id) : undefined;
      if (claim === undefined) {
        continue;
      }
      try {
        if (results.get(id) === undefined) {
          const result = await runner.run(shard, {
            signal,
            onProgress: (share, phase, message) => {
              highest = Math.max(highest, (index + share) / units.length);
              onProgress({ fraction: highest, phase, message: `shard ${part}, ${message}` });
            },
          });
          await results.land(claim, id, { scenario: scenarioLabel(planned.plan.scenario), rows: shard.rows }, result);
        }
      } finally {
        await claim.release();
      }
    }
    await results.refresh();
    onProgress({ fraction: 1, phase: 'quality', message: 'done' });
  } finally {
    await runner.release();
  }
}
