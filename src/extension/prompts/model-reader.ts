import type { TokenizerDescription } from '../../core/report/tokenizer';
import type { ModelFolder } from '../../engine/model/load';
import type { TokenMapper } from '../../engine/tokenizer/token-map';
import type { PromptTokenizer } from '../../engine/tokenizer/tokenizer';

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

  /** @param modelsFolder the folder that holds the embedded models */
  constructor(private readonly modelsFolder: string) {}

  /** The model of a name or path. @throws InputError where there is none */
  read(nameOrPath: string): Promise<PlanningModel> {
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
      import('../../engine/model/load'),
      import('../../engine/tokenizer/tokenizer'),
      import('../../engine/tokenizer/token-map'),
    ]);
    const folder = await openModel(nameOrPath, this.modelsFolder);
    const tokenizer: PromptTokenizer = await Loader.load(folder.folder);
    return { folder, tokenizer: tokenizer.source, createMapper: () => new Mapper(tokenizer) };
  }
}
