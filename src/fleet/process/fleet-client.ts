import { processChannel } from '../../engine/process/channels';
import { RpcClient } from '../../engine/process/client';
import type { FleetMethods } from './fleet-methods';

/** Calls the fleet process, which talks to a broker: the editor's own process loads nothing that does. */
export class FleetClient extends RpcClient<FleetMethods> {
  /**
   * @param entry path of the bundled fleet process
   * @param storage folder for the engine's files, such as calibrations and digests
   */
  constructor(entry: string, storage: string, log: (line: string) => void) {
    const name = 'fleet process';
    // A cancelled experiment takes its jobs back from the broker first, which may be away.
    super({ name, start: () => processChannel(name, entry, [storage]), patienceMs: 8000, sharesMemory: false }, log);
  }
}
