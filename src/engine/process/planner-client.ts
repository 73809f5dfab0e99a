import { threadChannel } from './channels';
import { RpcClient } from './client';
import type { PlannerMethods } from './planner-methods';

/** Calls the planning thread: texts, tokenizers and masks that take long must not hold the editor's thread. */
export class PlannerClient extends RpcClient<PlannerMethods> {
  /**
   * @param entry path of the bundled thread
   * @param translations of the editor's language, as `setTranslations` takes them
   */
  constructor(entry: string, translations: unknown, log: (line: string) => void) {
    const name = 'planning thread';
    super({ name, start: () => threadChannel(name, entry, { translations }), patienceMs: 5000, sharesMemory: true }, log);
  }
}
