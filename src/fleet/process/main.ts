import { join } from 'node:path';
import { handlerOf } from '../../engine/process/handler';
import type { Request } from '../../engine/process/rpc';
import { CalibrationStore, commandLineStorage } from '../../engine/store/calibrations';
import { DigestStore } from '../../engine/store/digests';
import { type FleetMethods, fleetMethods } from './fleet-methods';

/** Entry point of the fleet process: connects the editor's channel to the handler. */
const send = process.send?.bind(process);
if (send === undefined) {
  throw new Error('The fleet process must be forked with an IPC channel.');
}

const storage = process.argv[2] ?? commandLineStorage();
const places = {
  modelsFolder: join(__dirname, '..', 'media', 'models'),
  calibrations: new CalibrationStore(storage),
  digests: new DigestStore(storage),
};
// What it prints goes to the editor's log.
const handle = handlerOf(
  fleetMethods(places, (line) => process.stdout.write(`${line}\n`)),
  (response) => {
    send(response);
  },
);
process.on('message', (request: Request<FleetMethods>) => void handle(request));
// The parent is gone, so nobody needs an answer.
process.on('disconnect', () => process.exit(0));
