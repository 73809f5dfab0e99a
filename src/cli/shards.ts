import { cancelledSaying, InputError } from '../core/errors';
import { resultsOption } from '../core/evaluate/experiment';
import { shardOption } from '../core/evaluate/units';
import { formatCount } from '../core/format';
import type { Option } from '../core/options/option';
import type { SimulationOptions } from '../core/options/table';
import { mostShards } from '../core/predict/memory-fix';
import { reportSchemaVersion } from '../core/report/report';
import type { ShardedReport } from '../core/shards/report';
import type { Prompt } from '../engine/read/prompt';
import { simulateShards } from '../engine/tasks/shards/simulate-shards';
import { shardsOnFleet } from '../fleet/shards';
import { brokerFrom, brokerOptions, fleetLog } from './broker';
import { type Given, type Io, print, progressPrinter } from './io';
import { flagText, readGiven, textGiven } from './options';
import { resultsOf, sayNote, shardFrom } from './run';

const shardsOption: Option = {
  flag: 'shards',
  symbol: 'n',
  description:
    'Run the prompt in n shards that need nothing of each other, one after another: under masks whose windows are local, a prompt of any length in little memory.',
  value: { type: 'whole', minimum: 1, maximum: mostShards },
};

/** Flags of a simulation in shards. */
export const shardsOptions: readonly Option[] = [shardsOption, shardOption, resultsOption, ...brokerOptions];

/** Whether flags ask for shards. @throws InputError for flags that contradict each other, or do nothing */
export function asksForShards(given: Given): boolean {
  const [shards, shard, ...others] = shardsOptions.map(({ flag }) => given[flag] !== undefined);
  if (shards && shard) {
    throw new InputError(
      `${flagText('shards', given)} and ${flagText('shard', given)} contradict each other: one runs all shards, the other a single one; leave one of them out.`,
    );
  }
  const idle = shardsOptions.slice(2).find((_, index) => others[index]);
  if (idle !== undefined && !shards && !shard) {
    throw new InputError(`${flagText(idle.flag, given)} does nothing without --shards or --shard; name the shards or leave it out.`);
  }
  return shards || shard;
}

/**
 * Runs the shards that flags ask for, and prints how far the prompt is where some are missing.
 *
 * @returns the report of all shards, where all are known
 * @throws InputError, CancelledError as `simulateShards`
 */
export async function performShards(prompt: Prompt, options: SimulationOptions, given: Given, io: Io): Promise<ShardedReport | undefined> {
  const shard = shardFrom(given);
  const parts = shard?.parts ?? (readGiven(shardsOption, given) as number);
  const path = textGiven(resultsOption, given) ?? null;
  const results = await resultsOf(path, shard);
  sayNote(results, io);
  const broker = await brokerFrom(given, options, io);
  const runner = broker && shardsOnFleet(broker, fleetLog(io));
  const measured = await simulateShards(
    prompt,
    options,
    { parts, part: shard?.part },
    { ...io, results, runner, onProgress: progressPrinter(io, 'simulate') },
  )
    .catch(
      cancelledSaying(
        path && `The run was cancelled; the shards that it finished are in ${path}, and the same command goes on from there.`,
      ),
    )
    .finally(() => broker?.close());
  if (measured.report === undefined) {
    const { known, resumed } = measured;
    print(io, given, { schemaVersion: reportSchemaVersion, shards: parts, known, resumed }, () =>
      [
        `${shard === undefined ? 'Other processes run what is left' : `Shard ${textGiven(shardOption, given)} is done`}; ${formatCount(known)} of ${formatCount(parts)} shards are known.`,
        `Once all are done, the same command with --shards ${parts} prints the report.`,
      ].join('\n'),
    );
  }
  return measured.report;
}
