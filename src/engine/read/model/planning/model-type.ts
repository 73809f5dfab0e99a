import type { ConfigJson } from '../keys';
import type { AttentionRules } from './attention';
import type { ExpertRules } from './feed-forward';
import type { WindowRule } from './masks';

/** What is peculiar to a model type that is planned; all else is read from its fields. */
export interface ModelType {
  /** What the names of its classes in transformers begin with. */
  readonly name: string;
  /** Names of other classes with which it was published. */
  readonly classes?: readonly string[];
  /** Modules of code of its own with which it was published. */
  readonly ownCode?: readonly string[];
  /** What a run would need that no run has, a clause with `{0}` for the model type. */
  readonly has: string;
  readonly windows: WindowRule;
  readonly attention?: AttentionRules;
  readonly experts?: ExpertRules;
  /** Feed-forward networks of two matrices; gated ones have three. */
  readonly plain?: boolean;
  /** Positions are learned, so that there is a last one. */
  readonly learnedPositions?: boolean;
  /** `max_position_embeddings` is the trained length, whatever the scaling of its rope is. */
  readonly extended?: boolean;
  /** Every p-th layer attends, the others have linear attention, if `layer_types` does not list them. */
  readonly attendsEvery?: number;
  /** Layers apart by fields of Gemma 4. */
  readonly gemma4?: boolean;
  /** Values of fields that are absent, in transformers 5. */
  readonly defaults?: ConfigJson;
  /** Keys that it has and that change no count, with why; besides those that all have. */
  readonly ignores?: Readonly<Record<string, string>>;
  /** A key with which it cannot be planned, and why. */
  readonly stops?: { readonly key: string; readonly why: string };
}

/** Modules with which DeepSeek and models like it were published. */
export const deepseekCode = ['configuration_deepseek', 'modeling_deepseek'];

/** Endings of the classes of a model type. */
export const classEndings: readonly string[] = [
  ...['ForCausalLM', 'Model', 'TextModel', 'LMHeadModel', 'ForConditionalGeneration', 'ForMaskedLM'],
  ...['ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice', 'DoubleHeadsModel'],
];
