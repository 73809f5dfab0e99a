import { formatCount, formatDuration } from '../core/format';
import { fleetState } from '../fleet/state';
import { ownBrokerOptions, requiredBroker } from './broker';
import { jsonOption, print } from './io';
import type { Command } from './options';
import { table } from './table';

/** `two-heads fleet`: the workers of a broker, and what waits for them. */
export const fleetCommand: Command = {
  usage: 'fleet',
  description: 'show the workers of a broker, and what waits for them',
  options: [...ownBrokerOptions, jsonOption],
  run: async (_args, given, io) => {
    const broker = await requiredBroker(given, io);
    try {
      const state = await fleetState(broker);
      print(io, given, state, () =>
        [
          state.workers.length === 0
            ? 'No worker is there; start one with two-heads worker.'
            : table(
                ['worker', 'version', 'provider', 'models', 'rows', 'time', 'now'],
                state.workers.map(({ id, twoHeads, provider, models, rows, busyMs, row }) => [
                  id,
                  twoHeads,
                  provider,
                  models.map(({ name }) => name).join(', '),
                  formatCount(rows),
                  formatDuration(busyMs),
                  row ?? 'waits',
                ]),
              ),
          ...state.queues
            .filter(({ waiting, active, completed, failed }) => waiting + active + completed + failed > 0)
            .map(
              ({ model, provider, twoHeads, waiting, active, completed, failed }) =>
                `${model} on ${provider}, Two Heads ${twoHeads}: ${waiting} jobs wait, ${active} are measured, ${completed} are to be fetched, ${failed} failed`,
            ),
        ].join('\n'),
      );
    } finally {
      broker.close();
    }
  },
};
