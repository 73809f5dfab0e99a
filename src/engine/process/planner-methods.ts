import { createHash } from 'node:crypto';
import { costCurves, type CostCurves } from '../../core/compare/cost-curves';
import { comparedRequests, evaluatedScenarios, type ScenarioCost, scenarioCosts } from '../../core/compare/scenario-costs';
import { sortScenarios, type WantedScenarios } from '../../core/compare/sort-scenarios';
import { CancelledError, InputError } from '../../core/errors';
import { mostExpensive, rangeCost } from '../../core/hints/sections';
import { inEnglish } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/table';
import { makePlan, type Plan } from '../../core/plan/plan';
import type { Calibration } from '../../core/predict/calibration';
import { settleRequest } from '../../core/predict/fastest';
import { devicePrediction, type DevicePrediction } from '../../core/predict/prediction';
import { type PlanDocument, withTokenizerNote } from '../../core/report/report';
import type { Scenario, ScenarioParameters } from '../../core/scenario/scenario';
import { changed, type TextChange } from '../../core/text/edits';
import { type Outline, outlineOf, type Section, type SectionPlaces, sectionPlaces, sectionsOf } from '../../core/text/headings';
import { type ModelFolder, openModel } from '../read/model/load';
import { promptFromText } from '../read/prompt';
import type { TokenIndex } from '../read/tokenizer/token-index';
import type { ChunkChange } from '../read/tokenizer/token-places';
import { PromptTokenizer } from '../read/tokenizer/tokenizer';
import { planDocument } from '../tasks/plan';
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
}

/** An open prompt as it is now. */
export interface PromptRequest {
  /** Identifies it among those that are open. */
  readonly document: string;
  readonly version: number;
  /** The whole text, or what changed since an earlier version. */
  readonly change: { readonly text: string } | { readonly since: number; readonly changes: readonly TextChange[] };
  /** Whether it is Markdown, whose headings make sections. */
  readonly hasSections: boolean;
  readonly options: SimulationOptions;
  /** What is known of the devices that the options allow. */
  readonly candidates: readonly Calibration[];
}

/** A planned prompt; plain data. */
export interface PlannedPromptData {
  readonly version: number;
  readonly plan: Plan;
  /** Expected time and memory on the calibrated device. */
  readonly prediction: DevicePrediction | null;
  readonly calibration: Calibration | undefined;
  /** How the places of its tokens follow from those that were sent last. */
  readonly places: ChunkChange;
  /** Tokens of the tokenizer's own before and after the text. */
  readonly before: number;
  readonly after: number;
  readonly sections: SectionPlaces;
  /** Hex digest of the text in UTF-8: reports identify a prompt by it. */
  readonly sha256: string;
}

interface CostRequest {
  readonly document: string;
  readonly parameters: ScenarioParameters;
}

interface SectionRequest {
  readonly document: string;
  readonly most: number;
}

/** What a prompt costs under each scenario, and over N. */
export interface PromptCosts {
  readonly possible: readonly ScenarioCost[];
  readonly impossible: readonly string[];
  readonly curves: CostCurves;
  /** Equal for equal curves. */
  readonly curvesKey: string;
}

interface TextRequest extends WantedScenarios {
  readonly path: string;
  readonly text: string;
  readonly options: SimulationOptions;
  readonly candidates: readonly Calibration[];
}

/** A model as far as planning needs it. */
interface PlanningModel {
  readonly folder: ModelFolder;
  readonly tokenizer: PromptTokenizer;
}

/** A prompt that is open in the editor. */
interface OpenPrompt {
  version: number;
  text: string;
  tokens: { readonly model: PlanningModel; readonly index: TokenIndex } | undefined;
  /** The index whose places were sent last. */
  sent: TokenIndex | undefined;
  outline: Outline | undefined;
  planned: Pick<PlannedPromptData, 'plan' | 'prediction' | 'calibration'> | undefined;
  curves: Pick<PromptCosts, 'curves' | 'curvesKey'> | undefined;
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
    const read = openModel(name, modelsFolder).then(async (folder) => ({ folder, tokenizer: await PromptTokenizer.load(folder.folder) }));
    models.set(name, read);
    read.catch(() => models.delete(name));
    return read;
  };

  return {
    plan: async (request, context) => {
      // The text follows every request in turn, also one that was cancelled meanwhile: the next one builds on it.
      const prompt = followed(prompts.get(request.document), request);
      if (prompt === undefined) {
        return 'unknown';
      }
      prompts.set(request.document, prompt);
      const { text, version } = prompt;
      if (text === '') {
        throw new InputError('This prompt is empty.');
      }
      const check = checkOf(context);
      const model = await modelOf(request.options.model);
      check();
      const before = prompt.tokens?.model === model ? prompt.tokens.index : model.tokenizer.emptyIndex;
      const index = before.edited(text, check);
      prompt.tokens = { model, index };
      const { options, candidates, hasSections } = request;
      const tokens = options.maxTokens > 0 ? Math.min(options.maxTokens, index.tokens) : index.tokens;
      const { request: settled, calibration } = settleRequest(tokens, model.folder.config.shape, options, candidates);
      const plan = withTokenizerNote(makePlan(settled), model.tokenizer.source);
      prompt.planned = { plan, prediction: devicePrediction(plan, calibration), calibration };
      prompt.outline = hasSections ? outlineOf(text, prompt.outline) : undefined;
      check();
      const places = index.changeSince(prompt.sent);
      prompt.sent = index;
      return {
        version,
        ...prompt.planned,
        places,
        before: model.tokenizer.prefix.length,
        after: model.tokenizer.suffix.length,
        sections: sectionPlaces(prompt.outline === undefined ? [] : sectionsOf(prompt.outline)),
        sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
      };
    },
    costs: ({ document, parameters }, context) => {
      const prompt = prompts.get(document);
      if (prompt?.planned === undefined) {
        return Promise.resolve(null);
      }
      const { plan, prediction, calibration } = prompt.planned;
      checkOf(context)();
      const { possible, impossible } = scenarioCosts(plan, prediction, parameters, calibration);
      checkOf(context)();
      return Promise.resolve({
        possible,
        impossible,
        ...curvesOf(prompt, prompt.planned, parameters),
      });
    },
    evaluated: ({ document, parameters }) => {
      const planned = prompts.get(document)?.planned;
      return Promise.resolve(planned === undefined ? [] : evaluatedScenarios(planned.plan, parameters));
    },
    sections: ({ document, most }) => {
      const { planned, outline, tokens } = prompts.get(document) ?? {};
      if (planned === undefined || outline === undefined || tokens === undefined) {
        return Promise.resolve([]);
      }
      const sections = sectionsOf(outline).map((section) => ({
        section,
        ...rangeCost(planned.plan, tokens.index.firstTokenFrom(section.from), tokens.index.firstTokenFrom(section.end)),
      }));
      return Promise.resolve(mostExpensive(sections, ({ share }) => share, most).map(({ section }) => section));
    },
    close: ({ document }) => {
      prompts.delete(document);
      return Promise.resolve();
    },
    planText: async ({ path, text, options, candidates, ...wanted }, context) => {
      const check = checkOf(context);
      const prompt = promptFromText(path, text);
      const { folder, tokenizer } = await modelOf(options.model);
      const tokens = tokenizer.encode(text, options.maxTokens > 0 ? options.maxTokens : undefined, check).length;
      // Reports, tools and other extensions get English text, as on the command line.
      return inEnglish(() =>
        sortScenarios(wanted, tokens, folder.config.shape, options, candidates, check).possible.map(({ plan, calibration }) =>
          planDocument({ prompt, model: folder, tokenizer, plan: withTokenizerNote(plan, tokenizer.source), calibration }),
        ),
      );
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

/** A prompt with the text that a request tells of; undefined if that builds on another version. */
function followed(prompt: OpenPrompt | undefined, { version, change }: PromptRequest): OpenPrompt | undefined {
  if ('text' in change) {
    return {
      version,
      text: change.text,
      tokens: prompt?.tokens,
      sent: undefined,
      outline: prompt?.outline,
      planned: undefined,
      curves: prompt?.curves,
    };
  }
  if (prompt?.version !== change.since) {
    return undefined;
  }
  prompt.text = changed(prompt.text, change.changes);
  prompt.version = version;
  return prompt;
}

/** The curves of a planned prompt, computed again where one of their inputs changed. */
function curvesOf(
  prompt: OpenPrompt,
  { plan, calibration }: Pick<PlannedPromptData, 'plan' | 'calibration'>,
  parameters: ScenarioParameters,
): Pick<PromptCosts, 'curves' | 'curvesKey'> {
  const { model, scenario, construction, oracle, scoreBytes } = plan;
  // All inputs except N and the text.
  const curvesKey = JSON.stringify([
    model,
    scenario,
    construction,
    oracle,
    scoreBytes,
    parameters,
    calibration?.provider,
    calibration?.date,
  ]);
  if (prompt.curves?.curvesKey !== curvesKey) {
    prompt.curves = { curvesKey, curves: costCurves(comparedRequests(plan, parameters).possible, plan, calibration) };
  }
  return prompt.curves;
}
