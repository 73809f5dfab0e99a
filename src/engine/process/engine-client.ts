import { processChannel } from './channels';
import { RpcClient } from './client';
import type { EngineMethods } from './engine-methods';

/** Calls the engine in a process of its own: a run blocks its thread, and a native crash must not take the editor down. */
export class EngineClient extends RpcClient<EngineMethods> {
  /**
   * @param entry path of the bundled engine process
   * @param storage folder for the engine's files, such as calibrations
   */
  constructor(entry: string, storage: string | undefined, log: (line: string) => void) {
    const name = 'engine process';
    const args = storage === undefined ? [] : [storage];
    super({ name, start: () => processChannel(name, entry, args), patienceMs: 3000, sharesMemory: false }, log);
  }
}
