import { scoredFrom } from '../../core/evaluate/score';
import type { TextSize } from '../../core/evaluate/text-size';
import { said } from '../../core/l10n';
import type { SimulationOptions } from '../../core/options/table';
import { cacheOf } from '../../core/plan/cache';
import { type Plan, summarise } from '../../core/plan/plan';
import type { Calibration } from '../../core/predict/calibration';
import { settledPlan } from '../../core/predict/fastest';
import type { RunWay } from '../../core/predict/interval';
import type { MemoryEstimate } from '../../core/predict/memory';
import { devicePrediction, withBreakEven } from '../../core/predict/prediction';
import { outsideBoxOf } from '../../core/report/outside-box';
import {
  type ModelDescription,
  type PlanDocument,
  type PromptDigest,
  reportSchemaVersion,
  type TokenizerDescription,
  withTokenizerNote,
} from '../../core/report/report';
import { type ModelShape, parameterCount } from '../../core/shapes';
import type { PartTokens, PromptText } from '../../core/source/prompt-text';
import { checkVariables } from '../../core/source/variables';
import { type ModelFolder, openModel } from '../read/model/load';
import type { Prompt } from '../read/prompt';
import { type PartedText, placedOptions } from '../read/part-starts';
import { ropeNote } from '../read/model/rope';
import { readingModel, readSource } from '../read/source/read-source';
import { coveredText } from '../read/tokenizer/covered-text';
import type { TokenPlaces } from '../read/tokenizer/token-places';
import { checkVocabulary, PromptTokenizer } from '../read/tokenizer/tokenizer';
import type { CalibrationStore } from '../store/calibrations';
import { interruptible } from '../interruptible';

/** A prompt as a model's tokenizer reads it. */
export interface TokenizedPrompt {
  readonly prompt: Prompt;
  /** What the model reads of it, with the tokens of its parts. */
  readonly read: ReadPrompt;
  /** The text itself. */
  readonly text: PromptText;
  readonly model: ModelFolder;
  readonly tokenizer: PromptTokenizer;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  /** Milliseconds that tokenization took. */
  readonly tokenizeMs: number;
}

/** What a model reads of a prompt, with the tokens of its parts: what reports say of it. */
export type ReadPrompt = Pick<PromptText, 'format' | 'notes'> & { readonly parts: readonly PartTokens[] };

/** A prompt, planned: everything that is known before a run. */
export interface PlannedPrompt extends TokenizedPrompt {
  readonly plan: Plan;
  /** What is known of the device that the plan is for. */
  readonly calibration: Calibration | undefined;
  /** How it is to be run. */
  readonly way: RunWay;
}

/** Where planning finds what it needs. */
export interface Places {
  /** The folder that holds the embedded models. */
  readonly modelsFolder: string;
  readonly calibrations: CalibrationStore;
}

/**
 * Tokenizes and plans a prompt, for the device that the options name or calibration prefers.
 *
 * @throws InputError for any input that cannot be planned
 */
export async function planPrompt(prompt: Prompt, options: SimulationOptions, places: Places): Promise<PlannedPrompt> {
  const known = knownDevices(options, places);
  // Both go on at once: what the machine does beside takes a moment to see.
  const [tokenized, { candidates, notes }] = await Promise.all([tokenizePrompt(prompt, options, places), known]);
  const { model, tokens } = tokenized;
  return interruptible(() => {
    const placed = placedOptions(options, partedPrompt(tokenized, options));
    const { plan, calibration } = settledPlan(tokens.length, model.config.shape, placed, candidates);
    const noted = withSourceNotes(plan, tokenized);
    return { ...tokenized, calibration, plan: { ...noted, notes: [...noted.notes, ...notes] }, way: options };
  });
}

/** What is known of the devices that the options allow, how busy they are now, and which calibrations are to be made again. */
export async function knownDevices(
  { provider, threads }: Pick<SimulationOptions, 'provider' | 'threads'>,
  { calibrations }: Pick<Places, 'calibrations'>,
): Promise<{ readonly candidates: readonly Calibration[]; readonly notes: readonly string[] }> {
  const [candidates, notes] = await Promise.all([calibrations.candidatesNow(provider, threads), calibrations.obstacles(provider, threads)]);
  return { candidates, notes };
}

/** A plan with what a user should know of how its tokens were counted, and how its prompt and its model were read. */
export function withSourceNotes(plan: Plan, { read, tokenizer, model }: SourceNotes): Plan {
  const counted = withTokenizerNote(plan, tokenizer.source);
  return { ...counted, notes: [...counted.notes, ...read.notes, ...modelNotes(model.config, plan.tokens)] };
}

/** What a user should know of how a model's configuration was read, and of what keeps it from running. */
function modelNotes({ notes, lacks, run }: ModelFolder['config'], tokens: number): readonly string[] {
  const rope = run?.rotary && ropeNote(run.rotary, tokens);
  return lacks.length === 0
    ? [...notes, ...(rope === undefined ? [] : [rope])]
    : [...notes, said`This model is planned, not run: ${lacks.join('; ')}.`];
}

interface SourceNotes {
  readonly read: Pick<ReadPrompt, 'notes'>;
  readonly tokenizer: Pick<PromptTokenizer, 'source'>;
  readonly model: Pick<ModelFolder, 'config'>;
}

/** Tokenizes a prompt for the model that the options name. @throws InputError for a model or a prompt that cannot be read */
export async function tokenizePrompt(
  prompt: Prompt,
  options: Pick<SimulationOptions, 'model' | 'maxTokens'>,
  { modelsFolder }: Pick<Places, 'modelsFolder'>,
): Promise<TokenizedPrompt> {
  const model = await openModel(options.model, modelsFolder);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const reading = await readingModel(model);
  const text = interruptible(() => readSource(prompt, reading));
  checkVariables(prompt.source.variables, [text]);
  const tokenized = interruptible(() => tokensOf(text, tokenizer, options));
  checkVocabulary(tokenized.tokens, model, tokenizer.source);
  return { prompt, text, model, tokenizer, ...tokenized };
}

/** A prompt as far as its parts are asked for. */
export function partedPrompt(
  { text, tokenizer, tokens }: Pick<TokenizedPrompt, 'text' | 'tokenizer' | 'tokens'>,
  { separator }: Pick<SimulationOptions, 'separator'>,
): PartedText {
  return { text, places: () => tokenizer.for(text).places(text.text, tokens.length), tokens: tokens.length, separator };
}

/** The tokens of what a model reads of a prompt, all of them and by part. @param check may stop it by throwing */
export function tokensOf(
  text: PromptText,
  tokenizer: PromptTokenizer,
  { maxTokens }: Pick<SimulationOptions, 'maxTokens'>,
  check?: () => void,
): Pick<TokenizedPrompt, 'tokens' | 'tokenizeMs' | 'read'> {
  const own = tokenizer.for(text);
  const start = performance.now();
  const tokens = own.encode(text.text, maxTokens > 0 ? maxTokens : undefined, check);
  const tokenizeMs = performance.now() - start;
  // Places are found again: only prompts with parts need them.
  const parts = text.parts.length === 0 ? [] : partTokens(text, own.places(text.text, tokens.length, check), tokens.length);
  return { read: { format: text.format, notes: text.notes, parts }, tokens, tokenizeMs };
}

/** The tokens that begin in each part of a text. @param most those of the whole that are read */
export function partTokens({ parts }: Pick<PromptText, 'parts'>, places: TokenPlaces, most: number): PartTokens[] {
  return parts.map(({ title, role, text }) => {
    const { from, to } = places.tokensIn(text.from, text.to);
    return { title, role, tokens: Math.min(to, most) - Math.min(from, most) };
  });
}

/** How much text the tokens cover that `--score` scores, or why that is not known. */
export function scoredText(
  { text, tokenizer, tokens }: Pick<TokenizedPrompt, 'text' | 'tokenizer' | 'tokens'>,
  score: string,
): TextSize | string {
  // The prediction at a position is of the token after it.
  const range = { from: Math.min(tokens.length, scoredFrom(score, tokens.length) + 1), to: tokens.length };
  const sizes = interruptible(() => coveredText(text.text, tokenizer.for(text), [range]));
  return typeof sizes === 'string' ? sizes : sizes[0];
}

/** The document that describes a planned prompt. @param memory that its run is expected to take */
export function planDocument(
  {
    prompt,
    read,
    model,
    tokenizer,
    plan,
    calibration,
    way,
  }: Omit<PlannedPrompt, 'tokens' | 'text' | 'tokenizeMs' | 'tokenizer'> & {
    readonly tokenizer: Pick<PromptTokenizer, 'source'>;
  },
  memory: MemoryEstimate,
): PlanDocument {
  const { tokens, model: shape, scenario, oracle, construction, ...figures } = summarise(plan);
  const outsideBox = outsideBoxOf(construction, plan);
  return {
    schemaVersion: reportSchemaVersion,
    prompt: {
      path: prompt.path,
      bytes: prompt.bytes,
      sha256: prompt.sha256,
      tokens,
      ...digestFields(read),
    },
    model: describeModel(model, shape, tokenizer.source),
    scenario,
    oracle,
    construction,
    plan: figures,
    ...(outsideBox && { outsideBox }),
    memory,
    prediction: withBreakEven(devicePrediction(plan, calibration, memory, way), plan, calibration),
    cache: cacheOf(plan),
  };
}

/** What a report says of how a prompt was read: keys without content are left out. */
export function digestFields({ format, parts, notes }: ReadPrompt): Pick<PromptDigest, 'format' | 'parts' | 'notes'> {
  return { format, ...(parts.length > 0 ? { parts } : {}), ...(notes.length > 0 ? { notes } : {}) };
}

/** What a report says about a model. */
export function describeModel(
  { name, storedBytes }: Pick<ModelFolder, 'name' | 'storedBytes'>,
  shape: ModelShape,
  tokenizer: TokenizerDescription,
): ModelDescription {
  return { name, shape, parameters: parameterCount(shape), ...(storedBytes !== undefined && { storedBytes }), tokenizer };
}
