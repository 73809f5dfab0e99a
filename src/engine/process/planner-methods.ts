import { sortScenarios, type WantedScenarios } from '../../core/compare/sort-scenarios';
import { CancelledError } from '../../core/errors';
import { inEnglish } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/table';
import type { Calibration } from '../../core/predict/calibration';
import { expectedMemory } from '../../core/predict/memory';
import type { PlanDocument } from '../../core/report/report';
import type { Scenario, ScenarioParameters } from '../../core/scenario/scenario';
import type { PromptSource } from '../../core/source/options';
import type { Section } from '../../core/text/headings';
import { type ListedModel, listModels } from '../read/model/found/list';
import type { ModelStores } from '../read/model/found/stores';
import { openModel } from '../read/model/load';
import { placedOptions, placedScenario } from '../read/part-starts';
import { promptFromText } from '../read/prompt';
import { readingModel, readSource } from '../read/source/read-source';
import { PromptTokenizer } from '../read/tokenizer/tokenizer';
import { type ExperimentFaults, experimentFaults } from '../tasks/evaluate/experiment-faults';
import { partedPrompt, planDocument, tokensOf, withSourceNotes } from '../tasks/plan';
import { OpenPrompt, type PlannedPromptData, type PlanningModel, type PromptCosts, type PromptRequest } from './open-prompt';
import type { CallContext, Result } from './rpc';

/**
 * The methods of the planning thread: whatever grows with a prompt, a tokenizer or a mask and needs no runtime.
 *
 * It keeps the prompts that are open in the editor, follows their edits, and can be stopped wherever it is.
 */
export interface PlannerMethods {
  /**
   * Follows the edits of an open prompt, indexes its tokens and plans it.
   *
   * @returns `unknown` if the thread has another version of the text, or none: then it has to be sent whole
   * @throws InputError for what cannot be planned, CancelledError
   */
  plan(request: PromptRequest, context: CallContext): Promise<PlannedPromptData | 'unknown'>;
  /** What the latest plan of an open prompt costs beside other scenarios; null if it has none. @throws CancelledError */
  costs(request: CostRequest, context: CallContext): Promise<PromptCosts | null>;
  /** Scenarios beside that of the latest plan of an open prompt that have a quality; none if it has no plan. */
  evaluated(request: CostRequest, context: CallContext): Promise<readonly Scenario[]>;
  /** The sections of an open prompt that take most of its latest plan's attention, the largest first; none if it has no plan. */
  sections(request: SectionRequest, context: CallContext): Promise<readonly Section[]>;
  /** Forgets a prompt that was closed. */
  close(request: { readonly document: string }, context: CallContext): Promise<void>;
  /**
   * Plans a text under every wanted scenario that it can have, in English: for reports, tools and other extensions.
   *
   * @throws InputError for a model that cannot be read, or where a scenario may not be left out; CancelledError
   */
  planText(request: TextRequest, context: CallContext): Promise<readonly PlanDocument[]>;
  /** What is wrong with an experiment file beyond its schema, and what it may try besides. */
  experiment(
    request: { readonly path: string; readonly text: string; readonly stores: ModelStores },
    context: CallContext,
  ): Promise<ExperimentFaults>;
  /** The models that ship and those in the stores that are named, each with what it is good for. */
  models(request: { readonly stores: ModelStores }, context: CallContext): Promise<readonly ListedModel[]>;
}

interface CostRequest {
  readonly document: string;
  readonly parameters: ScenarioParameters;
}

interface SectionRequest {
  readonly document: string;
  readonly most: number;
}

interface TextRequest extends WantedScenarios {
  readonly path: string;
  readonly text: string;
  /** How it is read; as its name says where it is left out. */
  readonly source?: PromptSource | undefined;
  readonly options: SimulationOptions;
  readonly candidates: readonly Calibration[];
}

/** The methods of the planning thread. @param modelsFolder the folder of the models that ship */
export function plannerMethods(modelsFolder: string): PlannerMethods {
  const prompts = new Map<string, OpenPrompt>();
  const models = new Map<string, Promise<PlanningModel>>();

  /** A model, read once; one that could not be read is tried again. */
  const modelOf = (name: string): Promise<PlanningModel> => {
    const known = models.get(name);
    if (known !== undefined) {
      return known;
    }
    const read = openModel(name, modelsFolder).then(async (folder) => {
      const tokenizer = await PromptTokenizer.load(folder.folder);
      return { folder, tokenizer, reading: await readingModel(folder) };
    });
    models.set(name, read);
    read.catch(() => models.delete(name));
    return read;
  };

  return {
    plan: async (request, context) => {
      const prompt = prompts.get(request.document) ?? new OpenPrompt(request.document);
      // The text follows every request in turn, also one that was cancelled meanwhile: the next one builds on it.
      if (!prompt.follow(request)) {
        return 'unknown';
      }
      prompts.set(request.document, prompt);
      const check = checkOf(context);
      const model = await modelOf(request.options.model);
      check();
      return prompt.plan(request, model, check);
    },
    costs: ({ document, parameters }, context) => Promise.resolve(prompts.get(document)?.costs(parameters, checkOf(context)) ?? null),
    evaluated: ({ document, parameters }) => Promise.resolve(prompts.get(document)?.evaluated(parameters) ?? []),
    sections: ({ document, most }) => Promise.resolve(prompts.get(document)?.largestSections(most) ?? []),
    close: ({ document }) => {
      prompts.delete(document);
      return Promise.resolve();
    },
    experiment: ({ path, text, stores }) => experimentFaults(text, path, modelsFolder, stores),
    models: ({ stores }) => listModels(modelsFolder, stores),
    planText: async ({ path, text, source, options, candidates, ...wanted }, context) => {
      const check = checkOf(context);
      const prompt = promptFromText(path, text, source);
      const model = await modelOf(options.model);
      const { folder, tokenizer } = model;
      // Reports, tools and other extensions get English text, as on the command line.
      return inEnglish(() => {
        const source = readSource(prompt, model.reading);
        const { read, tokens } = tokensOf(source, tokenizer, options, check);
        const parted = partedPrompt({ text: source, tokenizer, tokens }, options);
        const scenarios = wanted.scenarios.map((scenario) => placedScenario(scenario, parted));
        const { possible } = sortScenarios(
          { ...wanted, scenarios },
          tokens.length,
          folder.config.shape,
          placedOptions(options, parted),
          candidates,
          check,
        );
        return possible.map(({ plan, calibration }) =>
          planDocument(
            {
              prompt,
              read,
              model: folder,
              tokenizer,
              plan: withSourceNotes(plan, { read, tokenizer, model: folder }),
              calibration,
              way: options,
            },
            expectedMemory(plan, options, calibration),
          ),
        );
      });
    },
  };
}

/** What is large in a result and made for it alone: it is moved to the other thread, which a copy would hold up. */
export function movable(result: Result<PlannerMethods, keyof PlannerMethods>): ArrayBuffer[] {
  if (result === null || typeof result !== 'object' || !('places' in result)) {
    return [];
  }
  const { places, sections } = result;
  return [places.starts, sections.from, sections.to, sections.end]
    .map(({ buffer }) => buffer)
    .filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Throws once a call was cancelled. */
function checkOf({ isCancelled }: CallContext): () => void {
  return () => {
    if (isCancelled()) {
      throw new CancelledError();
    }
  };
}
