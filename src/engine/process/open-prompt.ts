import { createHash } from 'node:crypto';
import { costCurves, type CostCurves } from '../../core/compare/cost-curves';
import { comparedRequests, evaluatedScenarios, type ScenarioCost, scenarioCosts } from '../../core/compare/scenario-costs';
import { InputError } from '../../core/errors';
import { mostExpensive, rangeCost } from '../../core/hints/sections';
import type { SimulationOptions } from '../../core/options/table';
import { cacheOf, type CacheReport } from '../../core/plan/cache';
import type { Plan } from '../../core/plan/plan';
import type { Calibration } from '../../core/predict/calibration';
import { settledPlan } from '../../core/predict/fastest';
import { expectedMemory, type MemoryEstimate } from '../../core/predict/memory';
import { devicePrediction, type DevicePrediction } from '../../core/predict/prediction';
import { fileName } from '../../core/format';
import type { Scenario, ScenarioParameters } from '../../core/scenario/scenario';
import { hasHeadings } from '../../core/source/format';
import type { PromptSource } from '../../core/source/options';
import type { PieceMap } from '../../core/source/pieces';
import { type PromptText, templateRole } from '../../core/source/prompt-text';
import { changed, type TextChange } from '../../core/text/edits';
import { type Outline, outlineOf, type Section, type SectionPlaces, sectionPlaces, sectionsOf } from '../../core/text/headings';
import type { ModelFolder } from '../read/model/load';
import { placedOptions } from '../read/part-starts';
import { DocumentPlaces } from '../read/source/document-places';
import { type ReadingModel, readSource } from '../read/source/read-source';
import type { TokenIndex } from '../read/tokenizer/token-index';
import type { ChunkChange } from '../read/tokenizer/token-places';
import type { PromptTokenizer } from '../read/tokenizer/tokenizer';
import { withSourceNotes } from '../tasks/plan';

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
  /** Resident memory that a run is expected to take, by parts. */
  readonly memory: MemoryEstimate;
  /** Expected time and memory on the calibrated device. */
  readonly prediction: DevicePrediction | null;
  readonly calibration: Calibration | undefined;
  /** What the model keeps of the prompt to continue it; null where the mask looks ahead. */
  readonly cache: CacheReport | null;
  /** Bytes of the model's files; null if it has none. */
  readonly storedBytes: number | null;
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

/** What a prompt costs under each scenario, and over N. */
export interface PromptCosts {
  readonly possible: readonly ScenarioCost[];
  readonly impossible: readonly string[];
  readonly curves: CostCurves;
  /** Equal for equal curves. */
  readonly curvesKey: string;
}

/** A model as far as planning needs it. */
export interface PlanningModel {
  readonly folder: ModelFolder;
  readonly tokenizer: PromptTokenizer;
  readonly reading: ReadingModel;
}

/** Stops the work on a prompt by throwing. */
type Check = () => void;

/** A prompt that is open in the editor: its text, which follows edits, and what was made of it. */
export class OpenPrompt {
  private version: number | undefined;
  private text = '';
  /** What the model reads of it, and of which text, source and model that is. */
  private read: { readonly text: string; readonly key: string; readonly model: PlanningModel; readonly result: PromptText } | undefined;
  private tokens: { readonly tokenizer: PromptTokenizer; readonly index: TokenIndex } | undefined;
  /** The index whose places were sent last. */
  private sent: TokenIndex | undefined;
  private outline: Outline | undefined;
  private planned:
    | {
        readonly plan: Plan;
        readonly prediction: DevicePrediction | null;
        readonly calibration: Calibration | undefined;
        readonly sections: readonly Section[];
        readonly places: DocumentPlaces;
      }
    | undefined;
  private curves: Pick<PromptCosts, 'curves' | 'curvesKey'> | undefined;

  /** @param document its URI, whose path names it */
  constructor(private readonly document: string) {}

  /** Takes the text that a request tells of. @returns false if that builds on another version */
  follow({ version, change }: PromptRequest): boolean {
    if ('text' in change) {
      this.text = change.text;
      this.sent = undefined;
      this.planned = undefined;
    } else if (this.version === change.since) {
      this.text = changed(this.text, change.changes);
    } else {
      return false;
    }
    this.version = version;
    return true;
  }

  /** Reads, indexes and plans the text as it is. @throws InputError for what cannot be planned, and what `check` throws */
  plan({ version, source, options, candidates }: PromptRequest, model: PlanningModel, check: Check): PlannedPromptData {
    const { text } = this;
    if (text === '') {
      throw new InputError('This prompt is empty.');
    }
    const read = this.readAs(source, model);
    check();
    const tokenizer = model.tokenizer.for(read);
    const before = this.tokens?.tokenizer === tokenizer ? this.tokens.index : tokenizer.emptyIndex;
    const index = before.edited(read.text, check);
    this.tokens = { tokenizer, index };
    const tokens = options.maxTokens > 0 ? Math.min(options.maxTokens, index.tokens) : index.tokens;
    const parted = { text: read, places: () => index, tokens, separator: options.separator };
    const settled = settledPlan(tokens, model.folder.config.shape, placedOptions(options, parted), candidates);
    const { calibration } = settled;
    const plan = withSourceNotes(settled.plan, { read, tokenizer, model: model.folder });
    const memory = expectedMemory(plan, options, calibration);
    const prediction = devicePrediction(plan, calibration, memory, options);
    this.outline = hasHeadings(read.format) && read.parts.length === 0 ? outlineOf(text, this.outline) : undefined;
    const sections = this.outline === undefined ? partSections(text, read) : sectionsOf(this.outline);
    this.planned = { plan, prediction, calibration, sections, places: new DocumentPlaces(index, read.pieces) };
    check();
    const places = index.changeSince(this.sent);
    this.sent = index;
    return {
      version,
      plan,
      memory,
      prediction,
      calibration,
      cache: cacheOf(plan),
      storedBytes: model.folder.storedBytes ?? null,
      places,
      pieces: read.pieces,
      before: tokenizer.prefix.length,
      after: tokenizer.suffix.length,
      sections: sectionPlaces(sections),
      literals: read.literals === undefined ? null : Int32Array.from(read.literals.flatMap(({ from, to }) => [from, to])),
      sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
    };
  }

  /** What the latest plan costs beside other scenarios; null if there is none. */
  costs(parameters: ScenarioParameters, check: Check): PromptCosts | null {
    if (this.planned === undefined) {
      return null;
    }
    const { plan, prediction, calibration } = this.planned;
    check();
    const { possible, impossible } = scenarioCosts(plan, prediction, parameters, calibration);
    check();
    return { possible, impossible, ...this.curvesOf(plan, calibration, parameters) };
  }

  /** Scenarios beside that of the latest plan that have a quality. */
  evaluated(parameters: ScenarioParameters): readonly Scenario[] {
    return this.planned === undefined ? [] : evaluatedScenarios(this.planned.plan, parameters);
  }

  /** The sections that take most of the latest plan's attention, the largest first. */
  largestSections(most: number): readonly Section[] {
    if (this.planned === undefined) {
      return [];
    }
    const { plan, places, sections } = this.planned;
    const costs = sections.map((section) => ({
      section,
      ...rangeCost(plan, places.firstTokenFrom(section.from), places.firstTokenFrom(section.end)),
    }));
    return mostExpensive(costs, ({ share }) => share, most).map(({ section }) => section);
  }

  /** What the model reads of the text; read again where the text, its source or the model changed. */
  private readAs(source: PromptSource, model: PlanningModel): PromptText {
    const { text, read } = this;
    const key = JSON.stringify(source);
    if (read?.text === text && read.key === key && read.model === model) {
      return read.result;
    }
    const result = readSource({ path: fileName(this.document), text, source }, model.reading);
    this.read = { text, key, model, result };
    return result;
  }

  /** The curves of a plan, computed again where one of their inputs changed. */
  private curvesOf(
    plan: Plan,
    calibration: Calibration | undefined,
    parameters: ScenarioParameters,
  ): Pick<PromptCosts, 'curves' | 'curvesKey'> {
    const { model, scenario, construction, oracle, scoreBytes } = plan;
    // All inputs except N and the text.
    const inputs = [
      model,
      scenario,
      construction,
      oracle,
      scoreBytes,
      parameters,
      calibration?.provider,
      calibration?.date,
      calibration?.now,
    ];
    const curvesKey = JSON.stringify(inputs);
    if (this.curves?.curvesKey !== curvesKey) {
      this.curves = { curvesKey, curves: costCurves(comparedRequests(plan, parameters).possible, plan, calibration) };
    }
    return this.curves;
  }
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
