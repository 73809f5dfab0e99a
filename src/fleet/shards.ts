import { tokensIn } from '../core/shards/cut';
import type { ShardResult } from '../core/shards/report';
import { shardRanges } from '../engine/tasks/shards/measure-shard';
import type { ClaimedShard, ShardsRunner, ShardWork } from '../engine/tasks/shards/simulate-shards';
import type { Broker } from './broker';
import { coordinate, type FleetJob, newRun } from './coordinator';
import { shardWorkData } from './work';

/**
 * Runs the shards of a prompt on the workers of a broker, a job each; this process puts them together.
 *
 * @param log takes a line where something changes that users should know
 */
export function shardsOnFleet(broker: Broker, log: (line: string) => void): ShardsRunner {
  return {
    run: async (work, signal) => {
      const run = newRun();
      const source = {
        next: async () => {
          const claimed = await work.next();
          return claimed && jobOf(claimed, work, run);
        },
        hasMore: () => false,
        release: () => Promise.resolve(),
      };
      const wanted = { digest: work.digest, model: work.planned.model.name, provider: work.options.provider };
      await coordinate(source, wanted, run, { broker, signal, log });
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
