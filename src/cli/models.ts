import { formatBytes, formatCount } from '../core/format';
import { shown } from '../core/text/printable';
import { type ListedModel, listModels } from '../engine/read/model/found/list';
import { modelStores } from '../engine/read/model/found/stores';
import { jsonOption, print } from './io';
import type { Command } from './options';
import { table } from './table';

const uses: Readonly<Record<ListedModel['use'], string>> = { runs: 'runs', plans: 'plans only', refused: 'refused' };

/** `two-heads models`: what is on the machine. */
export const modelsCommand: Command = {
  usage: 'models',
  description: 'list the models on this machine, and whether each is run, planned only or refused',
  options: [jsonOption],
  run: async (_args, given, io) => {
    const stores = modelStores();
    const models = await listModels(io.modelsFolder, stores);
    print(io, given, { stores, models }, () => modelTable(models));
  },
};

function modelTable(models: readonly ListedModel[]): string {
  const rows = models.map(({ name, bytes, format, modelType, trainedTokens }) => [
    shown(name, 100),
    bytes === null ? '-' : formatBytes(bytes),
    format === null ? '-' : shown(format),
    modelType === null ? '-' : shown(modelType),
    trainedTokens === null ? '-' : formatCount(trainedTokens),
  ]);
  const [header, ...lines] = table(['model', 'weights', 'format', 'type', 'trained'], rows).split('\n');
  const ends = models.map(({ use, reason }) => (reason === null ? uses[use] : `${uses[use]}: ${shown(reason, 300)}`));
  return [`${header}  use`, ...lines.map((line, index) => `${line}  ${ends[index]}`)].join('\n');
}
