import { openModel, placeOf } from '../engine/read/model/load';
import { jsonOption, print } from './io';
import type { Command } from './options';

/** `two-heads digest`: what makes results those of one model. */
export const digestCommand: Command = {
  usage: 'digest <model>',
  description: 'name a model by its content, as results and fleets do',
  options: [jsonOption],
  run: async ([name], given, io) => {
    const model = await openModel(name, io.modelsFolder);
    const { digest, files } = await io.digests.ofModel(placeOf(model));
    print(io, given, { model: name, digest, files }, () => [...files.map((file) => `${file.sha256}  ${file.name}`), digest].join('\n'));
  },
};
