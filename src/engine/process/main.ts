import { join } from 'node:path';
import { engineHandler, engineMethods } from './handler';
import type { EngineRequest, EngineResponse } from './rpc';

/** Entry of the engine process: find the channel to the parent and forward to the handler. */
const send = process.send?.bind(process);
if (send === undefined) {
  throw new Error('The engine process must be forked with an IPC channel.');
}

const handle = engineHandler(engineMethods(join(__dirname, '..', 'media', 'models')), (response: EngineResponse) => {
  send(response);
});
process.on('message', (request: EngineRequest) => void handle(request));
// The parent went away: nobody is left to answer.
process.on('disconnect', () => process.exit(0));
