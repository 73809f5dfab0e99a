import { join } from 'node:path';
import { answerParent } from '../../engine/process/handler';
import { CalibrationStore, commandLineStorage } from '../../engine/store/calibrations';
import { DigestStore } from '../../engine/store/digests';
import { fleetMethods } from './fleet-methods';

/** Entry point of the fleet process. The editor passes its storage folder; what this prints goes to the editor's log. */
const storage = process.argv[2] ?? commandLineStorage();
const places = {
  modelsFolder: join(__dirname, '..', 'media', 'models'),
  calibrations: new CalibrationStore(storage),
  digests: new DigestStore(storage),
};
answerParent(fleetMethods(places, (line) => process.stdout.write(`${line}\n`)));
