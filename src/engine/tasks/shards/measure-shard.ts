import type { SimulationOptions } from '../../../core/options/table';
import { makePlan, type Plan } from '../../../core/plan/plan';
import { memoryUseOf } from '../../../core/predict/memory';
import type { Phase } from '../../../core/report/phases';
import type { Range } from '../../../core/scenario/scenario';
import { lengthOf, type PromptShard, readsOf, unionOf } from '../../../core/shards/cut';
import type { ShardResult } from '../../../core/shards/report';
import { checkLength, checkToken } from '../../attend/tiles/embed';
import { interruptible } from '../../interruptible';
import { checkMemory, processBytes } from '../../memory';
import { openModel } from '../../read/model/load';
import { baselineReaches, isAlone, shardPlan, type ShardablePrompt, ShardRunner, shardsOf } from './shard-runner';

/** A shard with all that it depends on, to run in any process that has the model; plain data. */
export interface ShardRequest {
  /** The model's folder. */
  readonly model: string;
  readonly options: SimulationOptions;
  /** Of the whole prompt. */
  readonly plan: Pick<Plan, 'tokens' | 'scenario' | 'oracle' | 'construction' | 'scoreBytes'>;
  readonly shard: PromptShard;
  /** Tokens of the prompt that are sent, ascending ranges apart from each other, and their ids one after another. */
  readonly ranges: readonly Range[];
  readonly ids: Int32Array;
}

/** What a shard's process needs of a prompt: what it reads, what its baseline reads, and the token that follows its rows. */
export function shardRanges({ plan }: Pick<ShardablePrompt, 'plan'>, { rows, reads }: PromptShard): Range[] {
  const reaches = baselineReaches(plan);
  const next = { from: rows.to, to: Math.min(plan.tokens, rows.to + 1) };
  return unionOf([...reads, ...(reaches === undefined ? [] : readsOf(rows, reaches, plan.tokens)), next]);
}

/** Runs one shard. @throws InputError as a whole run does; CancelledError */
export async function measureShard(
  { model: name, options, plan: request, shard, ranges, ids }: ShardRequest,
  listeners: { readonly signal: AbortSignal; readonly onProgress: (share: number, phase: Phase, message: string) => void },
): Promise<ShardResult> {
  const model = await openModel(name, '');
  const { name: modelName, config } = model;
  checkLength(request.tokens, { name: modelName, ...config });
  ids.forEach((token) => checkToken(token, { name: modelName, ...config }));
  const plan = interruptible(() => makePlan({ ...request, model: model.config.shape }));
  const provider = options.provider === 'auto' ? 'cpu' : options.provider;
  const own = shardPlan(plan, shard.reads);
  const parts = Math.max(1, Math.round(plan.tokens / lengthOf([shard.rows])));
  const planOf = (count: number): Plan => shardPlan(plan, shardsOf(plan, count)[0].reads);
  const use = { ...memoryUseOf(own, options, { provider, processBytes: processBytes() }), alone: isAlone(plan) };
  checkMemory(own, use, options.memoryLimit, { shards: { parts, planOf } });
  const tokens = new Int32Array(plan.tokens);
  let first = 0;
  for (const range of ranges) {
    tokens.set(ids.subarray(first, first + lengthOf([range])), range.from);
    first += lengthOf([range]);
  }
  const runner = await ShardRunner.open(model, { plan, tokens }, options);
  try {
    return await runner.run(shard, listeners);
  } finally {
    await runner.release();
  }
}
