import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { setTranslations } from '../../core/l10n';
import { handlerOf } from './handler';
import { movable, plannerMethods } from './planner-methods';

/** Entry point of the planning thread. */
if (parentPort === null) {
  throw new Error('The planning thread must be started as a worker.');
}
const port = parentPort;
const { translations } = workerData as { readonly translations: unknown };
setTranslations(translations);
const handle = handlerOf(plannerMethods(join(__dirname, '..', 'media', 'models')), (response) =>
  port.postMessage(response, response.type === 'result' ? movable(response.result) : []),
);
port.on('message', (request: Parameters<typeof handle>[0]) => void handle(request));
