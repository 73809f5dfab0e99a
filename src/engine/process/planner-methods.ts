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
import { fileName } from '../../core/format';
import type { PlanDocument } from '../../core/report/report';
import type { Scenario, ScenarioParameters } from '../../core/scenario/scenario';
import { hasHeadings } from '../../core/source/format';
import type { PromptSource } from '../../core/source/options';
import type { PieceMap } from '../../core/source/pieces';
import { type PromptText, templateRole } from '../../core/source/prompt-text';
import { changed, type TextChange } from '../../core/text/edits';
import { type Outline, outlineOf, type Section, type SectionPlaces, sectionPlaces, sectionsOf } from '../../core/text/headings';
import { type ModelFolder, openModel } from '../read/model/load';
import { promptFromText } from '../read/prompt';
import { DocumentPlaces } from '../read/source/document-places';
import { readingModel, type ReadingModel, readSource } from '../read/source/read-source';
import type { TokenIndex } from '../read/tokenizer/token-index';
import type { ChunkChange } from '../read/tokenizer/token-places';
import { PromptTokenizer } from '../read/tokenizer/tokenizer';
import { partTokens, planDocument, withSourceNotes } from '../tasks/plan';
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
  /** How a prompt is read from the text. */
  readonly source: PromptSource;
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
  /** How the places of its tokens in the text that the model reads follow from those that were sent last. */
  readonly places: ChunkChange;
  /** Where that text is in the document; null where it is the document as it is. */
  readonly pieces: PieceMap | null;
  /** Tokens of the tokenizer's own before and after the text. */
  readonly before: number;
  readonly after: number;
  /** Headings, messages or cells; offsets are the document's. */
  readonly sections: SectionPlaces;
  /** Where the long string literals of a program are: `from` and `to` of each in turn; null for other documents. */
  readonly literals: Int32Array | null;
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
  /** How it is read; as its name says where it is left out. */
  readonly source?: PromptSource | undefined;
  readonly options: SimulationOptions;
  readonly candidates: readonly Calibration[];
}

/** A model as far as planning needs it. */
interface PlanningModel {
  readonly folder: ModelFolder;
  readonly tokenizer: PromptTokenizer;
  /** The tokenizer for text that has its special tokens in it. */
  readonly bare: PromptTokenizer;
  readonly reading: ReadingModel;
}

/** A prompt that is open in the editor. */
interface OpenPrompt {
  version: number;
  text: string;
  /** What the model reads of it, and of which text, source and model that is. */
  read: { readonly text: string; readonly key: string; readonly model: PlanningModel; readonly result: PromptText } | undefined;
  tokens: { readonly tokenizer: PromptTokenizer; readonly index: TokenIndex } | undefined;
  /** The index whose places were sent last. */
  sent: TokenIndex | undefined;
  outline: Outline | undefined;
  planned:
    | (Pick<PlannedPromptData, 'plan' | 'prediction' | 'calibration'> & {
        readonly sections: readonly Section[];
        readonly places: DocumentPlaces;
      })
    | undefined;
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
    const read = openModel(name, modelsFolder).then(async (folder) => {
      const tokenizer = await PromptTokenizer.load(folder.folder);
      return { folder, tokenizer, bare: tokenizer.bare, reading: await readingModel(folder) };
    });
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
      const read = readPrompt(prompt, request, model);
      check();
      const tokenizer = read.isComplete ? model.bare : model.tokenizer;
      const before = prompt.tokens?.tokenizer === tokenizer ? prompt.tokens.index : tokenizer.emptyIndex;
      const index = before.edited(read.text, check);
      prompt.tokens = { tokenizer, index };
      const { options, candidates } = request;
      const tokens = options.maxTokens > 0 ? Math.min(options.maxTokens, index.tokens) : index.tokens;
      const { request: settled, calibration } = settleRequest(tokens, model.folder.config.shape, options, candidates);
      const plan = withSourceNotes(makePlan(settled), { read, tokenizer });
      prompt.outline = hasHeadings(read.format) && read.parts.length === 0 ? outlineOf(text, prompt.outline) : undefined;
      const sections = prompt.outline === undefined ? partSections(text, read) : sectionsOf(prompt.outline);
      const tokenPlaces = new DocumentPlaces(index, read.pieces);
      prompt.planned = { plan, prediction: devicePrediction(plan, calibration), calibration, sections, places: tokenPlaces };
      check();
      const places = index.changeSince(prompt.sent);
      prompt.sent = index;
      return {
        version,
        plan,
        prediction: prompt.planned.prediction,
        calibration,
        places,
        pieces: read.pieces,
        before: tokenizer.prefix.length,
        after: tokenizer.suffix.length,
        sections: sectionPlaces(prompt.planned.sections),
        literals: read.literals === undefined ? null : Int32Array.from(read.literals.flatMap(({ from, to }) => [from, to])),
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
      const planned = prompts.get(document)?.planned;
      if (planned === undefined) {
        return Promise.resolve([]);
      }
      const sections = planned.sections.map((section) => ({
        section,
        ...rangeCost(planned.plan, planned.places.firstTokenFrom(section.from), planned.places.firstTokenFrom(section.end)),
      }));
      return Promise.resolve(mostExpensive(sections, ({ share }) => share, most).map(({ section }) => section));
    },
    close: ({ document }) => {
      prompts.delete(document);
      return Promise.resolve();
    },
    planText: async ({ path, text, source, options, candidates, ...wanted }, context) => {
      const check = checkOf(context);
      const prompt = promptFromText(path, text, source);
      const model = await modelOf(options.model);
      const { folder } = model;
      // Reports, tools and other extensions get English text, as on the command line.
      return inEnglish(() => {
        const read = readSource(prompt, model.reading);
        const tokenizer = read.isComplete ? model.bare : model.tokenizer;
        const tokens = tokenizer.encode(read.text, options.maxTokens > 0 ? options.maxTokens : undefined, check).length;
        const digest = { ...read, parts: read.parts.length === 0 ? [] : partTokens(read, tokenizer.index(read.text, check), tokens) };
        return sortScenarios(wanted, tokens, folder.config.shape, options, candidates, check).possible.map(({ plan, calibration }) =>
          planDocument({ prompt, read: digest, model: folder, tokenizer, plan: withSourceNotes(plan, { read, tokenizer }), calibration }),
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

/** A prompt with the text that a request tells of; undefined if that builds on another version. */
function followed(prompt: OpenPrompt | undefined, { version, change }: PromptRequest): OpenPrompt | undefined {
  if ('text' in change) {
    return {
      version,
      text: change.text,
      read: prompt?.read,
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

/** What the model reads of an open prompt; read again where the text, its source or the model changed. */
function readPrompt(prompt: OpenPrompt, { document, source }: PromptRequest, model: PlanningModel): PromptText {
  const { text, read } = prompt;
  const key = JSON.stringify(source);
  if (read?.text === text && read.key === key && read.model === model) {
    return read.result;
  }
  const result = readSource({ path: fileName(document), text, source }, model.reading);
  prompt.read = { text, key, model, result };
  return result;
}

/** The messages or cells of a prompt as sections; of several at one place the first. */
function partSections(text: string, { parts }: PromptText): Section[] {
  const sections = new Map<number, Section>();
  for (const { title, role, document } of parts) {
    if (role !== templateRole && !sections.has(document.from)) {
      const lineEnd = text.indexOf('\n', document.from);
      const to = lineEnd < 0 ? document.to : Math.min(lineEnd, document.to);
      sections.set(document.from, { level: 1, title, from: document.from, to, end: document.to });
    }
  }
  return [...sections.values()];
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
