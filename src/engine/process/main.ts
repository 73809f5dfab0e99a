import { join } from 'node:path';
import { CalibrationStore, commandLineStorage } from '../store/calibrations';
import { DigestStore } from '../store/digests';
import { engineMethods } from './engine-methods';
import { answerParent } from './handler';

/** Entry point of the engine process. The parent passes its storage folder; without one, it uses the command line's. */
const storage = process.argv[2] ?? commandLineStorage();
answerParent(
  engineMethods({
    modelsFolder: join(__dirname, '..', 'media', 'models'),
    calibrations: new CalibrationStore(storage),
    digests: new DigestStore(storage),
  }),
);
