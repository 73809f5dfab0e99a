import { said } from '../../../core/l10n';
import { plannedProvider } from '../../../core/predict/executor';
import { InputError } from '../../../core/errors';
import type { SimulationOptions } from '../../../core/options/table';
import { isNativePlan, isNativeScenario, nativePlan, type Plan } from '../../../core/plan/plan';
import { memoryOf, memoryUseOf } from '../../../core/predict/memory';
import type { Phase } from '../../../core/report/phases';
import { runVerdict } from '../../../core/report/verdict';
import { haloOf, lengthOf, type PromptShard, readsOf } from '../../../core/shards/cut';
import { combineShards, type ShardedReport, type ShardResult } from '../../../core/shards/report';
import { reachesOf, scenarioLabel } from '../../../core/scenario/scenario';
import { nativeScenario } from '../../../core/shapes';
import { throwIfCancelled } from '../../attend/runtime/clock';
import { checkScore, runObstacle } from '../../attend/verify/quality';
import { describeEnvironment } from '../../machine';
import { checkMemory, processBytes } from '../../memory';
import { placeOf } from '../../read/model/load';
import { digestOf, type Prompt } from '../../read/prompt';
import type { DigestStore } from '../../store/digests';
import { type Results, unitOf } from '../evaluate/results';
import { planDocument, type PlannedPrompt, planPrompt, scoredText } from '../plan';
import { checkModel, type SimulationContext } from '../simulate';
import { baselineReaches, isAlone, shardPlan, ShardRunner, shardsOf } from './shard-runner';

/** What surrounds a simulation in shards. */
interface ShardsContext extends SimulationContext {
  /** Tells results of one model from those of others. */
  readonly digests: DigestStore;
  /** What is known already, and where more of it goes. */
  readonly results: Results;
  /** What runs the shards; this process by default. */
  readonly runner?: ShardsRunner | undefined;
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
  const { results, runner = inThisProcess } = context;
  if (options.baseline === 'dense') {
    throw new InputError('Baseline "dense" attends over the whole prompt at once, and shards do not have it; leave out one of the two.');
  }
  const planned = await planPrompt(prompt, options, context);
  const { plan, model } = planned;
  const shards = shardsOf(plan, parts);
  await checkModel(planned);
  checkScore(options, model.config, plan.tokens);
  const obstacle = runObstacle(plan, model.config, options);
  const scored = { ...options, quality: obstacle === null };
  const planOf = (count: number): Plan => largestPlan(plan, shardsOf(plan, count), scored.quality);
  const largest = largestPlan(plan, shards, scored.quality);
  const settled = { ...options, provider: plannedProvider(options.provider, planned.calibration) };
  const use = { ...memoryUseOf(largest, scored, { provider: settled.provider, processBytes: processBytes() }), alone: isAlone(plan) };
  const memory = memoryOf(largest, use);
  if (runner === inThisProcess) {
    checkMemory(largest, use, options.memoryLimit, { shards: { parts, planOf } });
  }
  // Reading all weights for their digest is worth it only where others' results or machines may have other weights.
  const isNamed = results.kept || runner !== inThisProcess;
  const digest = isNamed ? (await context.digests.ofModel(placeOf(model))).digest : model.name;
  const units = unitsOf(planned, digest, shards, settled);
  const asked = units.filter((unit) => part === undefined || unit.part === part);
  const resumed = asked.filter(({ id }) => results.get(id) !== undefined).length;
  if (resumed < asked.length) {
    const ids = asked.map(({ id }) => id);
    await runner.run({ planned, options: settled, digest, ids, next: openShards(asked, planned, context) }, context.signal);
    await results.refresh();
    context.onProgress({ fraction: 1, phase: 'quality', message: 'done' });
  }
  const known = units.flatMap(({ shard, id }) => {
    const result = results.get(id) as ShardResult | undefined;
    return result === undefined ? [] : [{ ...shard, result }];
  });
  if (known.length < parts) {
    return { parts, known: known.length, resumed, report: undefined };
  }
  const document = planDocument(planned, memory);
  const size = obstacle ?? scoredText(planned, options.score);
  const { fidelity, quality, run } = combineShards(known, document.model, { score: options.score, size });
  // A shard of the model's own attention is compared with itself.
  const compared = quality?.baseline == null ? quality : { ...quality, baselineBy: 'own' as const, ownBaseline: isNativePlan(plan) };
  const report: ShardedReport = {
    ...document,
    shards: known,
    halo: haloOf(reachesOf(plan.scenario, plan.model.layers)),
    shardBytes: largest.bytes,
    run,
    fidelity,
    quality: compared,
    qualityNote: obstacle ?? (quality?.baseline === null ? baselineNote(plan) : null),
    verdict: runVerdict({
      ...plan,
      fidelity,
      lostRows: fidelity === null ? known.reduce((sum, { result: { lostRows = 0 } }) => sum + lostRows, 0) : undefined,
      sampling: null,
      quality: compared,
      native: isNativeScenario(plan),
      precision: options.precision,
    }),
    environment: describeEnvironment(),
  };
  return { parts, known: parts, resumed, report };
}

function baselineNote({ model }: Plan): string {
  return said`The model's own attention, ${scenarioLabel(nativeScenario(model))}, is not local, so that no shard can be held against it; two-heads evaluate compares predictions in windows.`;
}

/** The progress of shards that are not all landed; what ends them says that they are done. */
const mostOpen = 0.99;

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
function unitsOf(
  { plan, tokens }: PlannedPrompt,
  model: string,
  shards: readonly PromptShard[],
  { provider, threads, executor, precision, activations, verify, quality, score }: SimulationOptions,
): ShardUnit[] {
  const { twoHeads, onnxruntime } = describeEnvironment();
  const about = {
    ...{ model, twoHeads, onnxruntime, tokens: digestOf(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength)) },
    ...{ scenario: plan.scenario, construction: plan.construction, oracle: plan.oracle, scoreBytes: plan.scoreBytes ?? null },
    ...{ provider, threads, executor, precision, verify, quality, score },
    // Left out where nothing is asked for: results of versions that had nothing else are results of this.
    ...(activations !== 'float32' && { activations }),
  };
  return shards.map((shard, index) => ({ shard, id: unitOf({ ...about, ...shard }), part: index + 1 }));
}

/** A shard that this process has claimed among all that share results. */
export interface ClaimedShard extends ShardUnit {
  /** Keeps its result, unless another process took the shard meanwhile. */
  readonly land: (result: ShardResult) => Promise<void>;
  readonly onProgress: (share: number, phase: Phase, message: string) => void;
  /** Lets go of it. */
  readonly release: () => Promise<void>;
}

/** Shards to run, and what of. */
export interface ShardWork {
  readonly planned: PlannedPrompt;
  /** The device is settled. */
  readonly options: SimulationOptions;
  /** Names the model by its content: a `DigestStore`'s. */
  readonly digest: string;
  /** What the results of all asked shards are known by. */
  readonly ids: readonly string[];
  /** The next shard that is not known and that no other process runs; undefined once none is left. @throws CancelledError */
  readonly next: () => Promise<ClaimedShard | undefined>;
}

/** What runs shards: this process, or a fleet. */
export interface ShardsRunner {
  /** Runs all that are open, and lands their results. @throws InputError, CancelledError */
  run(work: ShardWork, signal: AbortSignal): Promise<void>;
}

/** Runs shards in this process, one after another. */
const inThisProcess: ShardsRunner = {
  run: async ({ planned, options, next }, signal) => {
    const runner = await ShardRunner.open(planned.model, planned, options);
    try {
      for (let claimed = await next(); claimed !== undefined; claimed = await next()) {
        const { shard, land, onProgress, release } = claimed;
        try {
          await land(await runner.run(shard, { signal, onProgress }));
        } finally {
          await release();
        }
      }
    } finally {
      await runner.release();
    }
  },
};

/** Hands out shards that are not known, and leaves out what another process runs. */
function openShards(
  units: readonly ShardUnit[],
  { plan }: PlannedPrompt,
  { results, signal, onProgress }: ShardsContext,
): ShardWork['next'] {
  const open = [...units];
  const shares = new Map<ShardUnit, number>();
  let highest = 0;
  return async () => {
    for (let unit = open.shift(); unit !== undefined; unit = open.shift()) {
      throwIfCancelled(signal);
      const { id, shard, part } = unit;
      const own = unit;
      const claim = results.get(id) === undefined ? await results.claim(id) : undefined;
      if (claim === undefined || results.get(id) !== undefined) {
        shares.set(own, 1);
        await claim?.release();
        continue;
      }
      return {
        ...unit,
        land: (result) => results.land(claim, id, { scenario: scenarioLabel(plan.scenario), rows: shard.rows }, result),
        onProgress: (share, phase, message) => {
          shares.set(own, share);
          highest = Math.max(highest, [...shares.values()].reduce((sum, each) => sum + each, 0) / units.length);
          onProgress({ fraction: Math.min(mostOpen, highest), phase, message: `shard ${part}, ${message}` });
        },
        release: () => {
          shares.set(own, 1);
          return claim.release();
        },
      };
    }
    return undefined;
  };
}
