import { InputError } from '../../../../core/errors';
import { english, said, text } from '../../../../core/l10n';
import { shown } from '../../../../core/text/printable';
import { type ConfigJson, isStructural } from '../keys';
import type { MetadataValue } from './header';

/** Keys of any architecture that change no count of a plan: numbers inside a layer, ropes, and the choice of experts. */
const plannedWithout =
  /^(rope\..+|vocab_size|attention\.(layer_norm_epsilon|layer_norm_rms_epsilon|scale|clamp_kqv|temperature_scale)|attn_logit_softcapping|final_logit_softcapping|router_logit_softcapping|expert_weights_scale|expert_weights_norm|expert_gating_func|use_parallel_residual|tensor_data_layout|swiglu_clamp_exp|swiglu_clamp_shexp)$/;

/** Keys that change no result: of a model's training, of a task, and of the layout of tensors that older files state. */
const harmless = /^(rope\.scaling\.finetuned|vocab_size|tensor_data_layout|pooling_type)$/;

/** Switches that are on in what is planned and run. */
const usuallyOn = /^(attention\.causal|expert_weights_norm)$/;

/** Keys of the part that reads images, which Ollama keeps in the same file. */
const images = /^(vision|mm)\./;

/** Reads the keys of an architecture, and keeps which it has read. */
export class MetadataReader {
  private readonly taken = new Set<string>();
  private readonly lacking: string[] = [];

  constructor(
    readonly architecture: string,
    private readonly metadata: ReadonlyMap<string, MetadataValue>,
    private readonly path: string,
  ) {}

  /** A number, or the number that a list repeats for each layer; undefined where there is none. @throws InputError for any other value */
  maybe(key: string): number | undefined {
    this.taken.add(key);
    const value = this.metadata.get(`${this.architecture}.${key}`);
    const number = typeof value === 'object' && value.values?.every((each) => each === value.values?.[0]) ? value.values[0] : value;
    if (number === undefined || (typeof number === 'number' && Number.isFinite(number))) {
      return number;
    }
    return this.stop(
      `${this.architecture}.${key}`,
      typeof number === 'object' ? text('differs from layer to layer') : text('is no number'),
    );
  }

  need(key: string): number {
    return this.maybe(key) ?? this.stop(`${this.architecture}.${key}`, text('is missing'));
  }

  above0(key: string): boolean {
    return (this.maybe(key) ?? 0) > 0;
  }

  /**
   * A number that the checkpoint's configuration had with few digits, and the file has as float32: the shortest decimal number of
   * that float32.
   */
  real(key: string): number | undefined {
    const value = this.maybe(key);
    return value === undefined ? undefined : shortest(value);
  }

  needReal(key: string): number {
    return shortest(this.need(key));
  }

  text(key: string): string | undefined {
    this.taken.add(key);
    const value = this.metadata.get(`${this.architecture}.${key}`);
    return value === undefined || typeof value === 'string' ? value : this.stop(`${this.architecture}.${key}`, text('is no text'));
  }

  flag(key: string): boolean | undefined {
    this.taken.add(key);
    const value = this.metadata.get(`${this.architecture}.${key}`);
    return value === undefined || typeof value === 'boolean'
      ? value
      : this.stop(`${this.architecture}.${key}`, text('is neither true nor false'));
  }

  needFlag(key: string): boolean {
    return this.flag(key) ?? this.stop(`${this.architecture}.${key}`, text('is missing'));
  }

  /** Stops a run, not a plan, at the value of a key. @param why with `{0}` for the key's name */
  lack(key: string, why: string): void {
    this.lacking.push(english(why, shown(`${this.architecture}.${key}`)));
  }

  /** Which layers have a window, where that is said: every p-th has none, or a list. */
  window(): ConfigJson {
    const key = 'attention.sliding_window_pattern';
    const value = this.metadata.get(`${this.architecture}.${key}`);
    if (typeof value !== 'object') {
      const pattern = this.maybe(key);
      return pattern === undefined ? {} : { sliding_window_pattern: pattern };
    }
    this.taken.add(key);
    const types = value.values?.map((slides) => (slides === true || slides === 1 ? 'sliding_attention' : 'full_attention'));
    return { layer_types: types ?? this.stop(`${this.architecture}.${key}`, text('is a list of another kind')) };
  }

  /**
   * Goes through the keys that were not read.
   *
   * @returns what a user should know of the plan, a sentence each, and what a run would lack, a clause each
   * @throws InputError for one that may change what is planned
   */
  judge(): { readonly notes: readonly string[]; readonly lacks: readonly string[] } {
    const start = `${this.architecture}.`;
    const notes: string[] = [];
    const lacks = [...this.lacking];
    for (const [key, value] of this.metadata) {
      const own = key.slice(start.length);
      // A number that is 0 and a switch that is off add nothing; causal attention is what is planned, and weights of experts that
      // sum to 1 are the only ones that run.
      const isNeutral = usuallyOn.test(own) ? value === true : value === 0 || value === false;
      if (!key.startsWith(start) || this.taken.has(own) || isNeutral || harmless.test(own) || images.test(own)) {
        continue;
      }
      if (isStructural(own) && !plannedWithout.test(own)) {
        this.stop(key, text('is not known for this architecture and may change its attention or its layers'));
      }
      if (!plannedWithout.test(own)) {
        notes.push(said`The GGUF file has ${shown(key)}, which is not known: planned as if it changed nothing.`);
      }
      lacks.push(said`the GGUF file has ${shown(key)}, which a run would not heed`);
    }
    const hasImages = [...this.metadata.keys()].some((key) => key.startsWith(start) && images.test(key.slice(start.length)));
    return { notes: hasImages ? [text('Only text is read: the part of the GGUF file that reads images is not.'), ...notes] : notes, lacks };
  }

  /** @throws InputError that names the key */
  stop(key: string, why: string): never {
    throw new InputError(`${this.path}: ${shown(key)} ${why}; use another GGUF file of the model.`);
  }
}

/** The decimal number of fewest digits that is the same float32; any other number stays. */
export function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) {
    return value;
  }
  for (let digits = 1; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) {
      return rounded;
    }
  }
  return value;
}
