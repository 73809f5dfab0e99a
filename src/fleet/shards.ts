import { randomUUID } from 'node:crypto';
import { describeEnvironment } from '../engine/machine';
import { tokensIn } from '../core/shards/cut';
import type { ShardResult } from '../core/shards/report';
import { shardRanges } from '../engine/tasks/shards/measure-shard';
import type { ClaimedShard, ShardsRunner, ShardWork } from '../engine/tasks/shards/simulate-shards';
import type { Broker } from './broker';
import { coordinate, type FleetJob } from './coordinator';
import { hashOf, shardWorkData } from './work';

/**
 * Runs the shards of a prompt on the workers of a broker, a job each; this process puts them together.
 *
 * @param log takes a line where something changes that users should know
 */
export function shardsOnFleet(broker: Broker, log: (line: string) => void): ShardsRunner {
  return {
    run: async (work, signal) => {
      const { twoHeads, onnxruntime } = describeEnvironment();
      const { name: model } = work.planned.model;
      const required = { twoHeads, onnxruntime, digest: work.digest, model, provider: work.options.provider };
      const run = hashOf([randomUUID()]);
      const source = {
        next: async () => {
          const claimed = await work.next();
          return claimed && jobOf(claimed, work, run);
        },
        hasMore: () => false,
        release: () => Promise.resolve(),
      };
      await coordinate(source, required, run, { broker, signal, log });
    },
  };
}

function jobOf({ shard, part, id, land, onProgress, release }: ClaimedShard, { planned, options }: ShardWork, run: string): FleetJob {
  const { plan, tokens } = planned;
  const ranges = shardRanges(planned, shard);
  return {
    id,
    label: `shard ${part}`,
    data: shardWorkData({ run, id, options, plan, shard, ranges, ids: tokensIn(tokens, ranges) }),
    accepts: ({ units }) => units.length === 1 && units[0].unit === id && 'peakRssBytes' in units[0].result,
    land: ({ units }) => land(units[0].result as ShardResult),
    split: () => [],
    onProgress: (share, label) => onProgress(share, 'attend', label),
    release,
  };
}
