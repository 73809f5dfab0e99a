import type { ModelShape } from '../../../core/shapes';
import type { Checkpoint } from './weights';
import type { ConfigJson, KeyRules } from './keys';
import type { StatedQuantisation } from './quantised/quantisation';
import type { RotaryEmbedding } from './rope';

/** How a token's vector is normalised: by root mean square, or by mean and variance. */
export interface Norm {
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
}

/** Activations of feed-forward networks; `gelu` is the exact one, `gelu-tanh` its usual approximation. */
export type Activation = 'silu' | 'gelu' | 'gelu-tanh' | 'relu';

/** How architectures differ in what a layer computes besides attention: the input of graph builders. */
export interface Architecture {
  readonly shape: ModelShape;
  readonly norm: Norm;
  /**
   * Norms before each half of a layer, on its input; after it, on the residual stream itself (BERT); or on what a half gives,
   * before it is added to the residual stream (OLMo 2); or both before a half and on what it gives (Gemma 2).
   */
  readonly normPlacement: 'before' | 'after' | 'output' | 'around';
  /** Whether both halves of a layer read its input, each by its own norm before it, and are added side by side (GPT-NeoX). */
  readonly parallelHalves?: true;
  /** Whether a norm of queries or keys is over all heads together (OLMo 2), not over each. */
  readonly normsAcrossHeads?: true;
  readonly activation: Activation;
  /** Of a gated network, where it has no plain activation (gpt-oss): see `ClampedGate`. */
  readonly clampedGate?: ClampedGate;
  /** Where the feed-forward networks of some layers, those with a router, are mixtures of experts. */
  readonly experts?: ExpertChoice;
  /** By default, none. */
  readonly multipliers?: Multipliers;
  /** c, where logits x are bent to `c tanh(x / c)` (Gemma 2). */
  readonly logitCap?: number;
  /**
   * Slopes `[H]` of scores by the position of the key (ALiBi), by default none. The last column of heads is then none of the
   * projections': it is the slope in queries, the position in keys and 0 in values.
   */
  readonly alibi?: { readonly slopes: readonly number[] };
}

/** A gate and a factor that are kept within a limit: `(up + 1) gate sigmoid(slope gate)`, the gate from above only. */
export interface ClampedGate {
  readonly limit: number;
  readonly slope: number;
}

/** How a router chooses the experts that a token goes to: those of its largest logits. */
export interface ExpertChoice {
  readonly chosen: number;
  /**
   * Whether the weights of those chosen are a softmax over their own logits, or a softmax over the logits of all experts, of
   * which they get less than 1.
   */
  readonly weights: 'of-chosen' | 'of-all';
  /** Whether every token is sent through every expert, those that it did not choose without a weight: see `withExpertsOn`. */
  readonly everyToken?: true;
}

/** Numbers that some models multiply with (Granite, Gemma, Command R), where others have 1, and for scores 1/sqrt(m). */
export interface Multipliers {
  /** Of a token's embedding. */
  readonly embedding: number;
  /** Of the products of queries and keys. */
  readonly scores: number;
  /** Of what each half of a layer adds to the residual stream. */
  readonly residual: number;
  readonly logits: number;
}

/** The content of a model's configuration. */
export interface ModelConfig extends Architecture {
  /** As in `config.json`, such as `llama`. */
  readonly modelType: string;
  /** The rotary embedding of each layer, undefined in one without positions (SmolLM3); undefined if positions are learned. */
  readonly rotary: readonly (RotaryEmbedding | undefined)[] | undefined;
  /** What its output head predicts: the next token, a masked token, or nothing if there is no head. */
  readonly predicts: 'next' | 'masked' | 'nothing';
  readonly checkpoint: Checkpoint;
  /** What a user should know of how the configuration was read, a sentence each; absent if there is nothing. */
  readonly notes?: readonly string[];
  /** Why it is planned and not run, a clause each; absent if it runs. */
  readonly lacks?: readonly string[];
}

/** The reader of an architecture that runs, and all that it states of `config.json`. */
export interface ArchitectureReader {
  /** The keys of a model type. */
  readonly keysOf: (modelType: string) => KeyRules;
  /** Classes of transformers by model type: those with the head that predicts tokens, and those without it. */
  readonly classes: Readonly<Record<string, { readonly predicting: readonly string[]; readonly others: readonly string[] }>>;
  /** Modules of code with which models were published before transformers had them. */
  readonly ownCode?: readonly string[];
  /**
   * @param predicts whether `architectures` names a class with the head that predicts tokens; true if it names none
   * @throws InputError if the configuration is broken or not supported
   */
  readonly read: (json: ConfigJson, path: string, predicts: boolean) => ModelConfig;
}

/** What `config.json` says. */
export interface ReadConfig extends Pick<ModelConfig, 'modelType' | 'shape' | 'predicts'> {
  /** What plans and reports say of how it was read, a sentence each. */
  readonly notes: readonly string[];
  /** Why the model is planned and not run, a clause each; empty if it runs. */
  readonly lacks: readonly string[];
  /** What a run needs; undefined if only planning is known. */
  readonly run: ModelConfig | undefined;
  /** How its weights are quantised; absent if they are not. */
  readonly stored?: Pick<StatedQuantisation, 'format' | 'quantisation'>;
}
