import { join } from 'node:path';
import { CalibrationStore, commandLineStorage } from '../store/calibrations';
import { DigestStore } from '../store/digests';
import { type EngineMethods, engineMethods } from './engine-methods';
import { handlerOf } from './handler';
import type { Request } from './rpc';

/** Entry point of the engine process: connects the parent's channel to the handler. */
const send = process.send?.bind(process);
if (send === undefined) {
  throw new Error('The engine process must be forked with an IPC channel.');
}

// The parent passes its storage folder; without one, use the command line's.
const storage = process.argv[2] ?? commandLineStorage();
const calibrations = new CalibrationStore(storage);
const digests = new DigestStore(storage);
const handle = handlerOf(engineMethods({ modelsFolder: join(__dirname, '..', 'media', 'models'), calibrations, digests }), (response) => {
  send(response);
});
process.on('message', (request: Request<EngineMethods>) => void handle(request));
// The parent is gone, so nobody needs an answer.
process.on('disconnect', () => process.exit(0));
