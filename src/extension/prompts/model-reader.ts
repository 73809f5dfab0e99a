import type { TokenizerDescription } from '../../core/report/tokenizer';
import type { ModelFolder } from '../../engine/read/model/load';
import type { TokenMapper } from '../../engine/read/tokenizer/token-map';
import type { PromptTokenizer } from '../../engine/read/tokenizer/tokenizer';
import type { ModelAccess } from './models';

/** What planning needs of a model: its shape and its tokenizer. */
export interface PlanningModel {
  readonly folder: ModelFolder;
  readonly tokenizer: TokenizerDescription;
  /** A mapper of its own for each document: it remembers that document's segments. */
  createMapper(): TokenMapper;
}

/** Reads models' configurations and tokenizers, each once; the code that does it loads at first use. */
export class ModelReader {
  private readonly models = new Map<string, Promise<PlanningModel>>();

  constructor(private readonly access: ModelAccess) {}

  /** The model of a name or path. @throws InputError where there is none, or it may not be loaded */
  async read(nameOrPath: string): Promise<PlanningModel> {
    // Asked each time: trust comes and goes.
    await this.access.check(nameOrPath);
    let model = this.models.get(nameOrPath);
    if (model === undefined) {
      model = this.load(nameOrPath);
      this.models.set(nameOrPath, model);
      // A folder that was broken may have been mended by the next look.
      model.catch(() => this.models.delete(nameOrPath));
    }
    return model;
  }

  private async load(nameOrPath: string): Promise<PlanningModel> {
    const [{ openModel }, { PromptTokenizer: Loader }, { TokenMapper: Mapper }] = await Promise.all([
      import('../../engine/read/model/load'),
      import('../../engine/read/tokenizer/tokenizer'),
      import('../../engine/read/tokenizer/token-map'),
    ]);
    const folder = await openModel(nameOrPath, this.access.modelsFolder);
    const tokenizer: PromptTokenizer = await Loader.load(folder.folder);
    return { folder, tokenizer: tokenizer.source, createMapper: () => new Mapper(tokenizer) };
  }
}
