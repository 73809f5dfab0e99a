import { InputError } from '../../../core/errors';
import { shown } from '../../../core/text/printable';
import type { TensorSource } from './tensor-source';

/** Tensors that checkpoints may hold and no model reads, each kind with why it changes nothing. */
const harmlessTensors: readonly { readonly name: RegExp; readonly why: string }[] = [
  { name: /(^|\.)(inv_freq|cos_cached|sin_cached)$/, why: 'a rotary table, which is computed' },
  { name: /(^|\.)(position_ids|token_type_ids)$/, why: 'counts from 0, or zeros' },
  { name: /(^|\.)(attn|attention)\.(bias|masked_bias)$/, why: 'the causal mask of GPT-2 and GPT-NeoX, as a buffer' },
  { name: /(^|\.)pooler\./, why: 'reads the output for a task' },
  { name: /^cls\.seq_relationship\./, why: "BERT's next-sentence task" },
  { name: /^(cls\.predictions|lm_head)\.decoder\.bias$/, why: 'the same bias as cls.predictions.bias or lm_head.bias' },
  { name: /(^|\.)(vision_tower|multi_modal_projector)\./, why: 'reads images, which no prompt here has' },
  { name: /^(score|classifier|qa_outputs|multiple_choice_head)\./, why: 'reads the output for a task' },
];

/**
 * Refuses a checkpoint with a tensor that no part of its model reads: the model would compute something else than its
 * publisher's.
 *
 * Biases that its format pads it with may be there; `checkPaddedBiases` reads them.
 *
 * @param files the checkpoint
 * @param read those that the model reads
 * @throws InputError that names the first such tensor
 */
export function checkAllRead(
  { names, paddedBiases = [] }: Pick<TensorSource, 'names' | 'paddedBiases'>,
  read: ReadonlySet<string>,
  modelType: string,
): void {
  const known = new Set([...read, ...paddedBiases]);
  const unread = [...names].filter((name) => !known.has(name) && !harmlessTensors.some((harmless) => harmless.name.test(name)));
  if (unread.length > 0) {
    const name = shown(unread[0], 100);
    throw new InputError(
      `The checkpoint has ${unread.length === 1 ? name : `${name} and ${unread.length - 1} more`}, which no ${modelType} reads, so that a run would not be its model; use a checkpoint without it, or plan without a run.`,
    );
  }
}

/**
 * Refuses a bias that no part of its model reads and that is not zero.
 *
 * @param read the tensors that the model reads
 * @throws InputError that names the bias and its first number that is not 0
 */
export function checkPaddedBiases(files: Pick<TensorSource, 'paddedBiases' | 'read'>, read: ReadonlySet<string>, modelType: string): void {
  for (const name of (files.paddedBiases ?? []).filter((bias) => !read.has(bias))) {
    const added = files.read(name).data.find((value) => value !== 0);
    if (added !== undefined) {
      throw new InputError(
        `The checkpoint's ${shown(name, 100)}, which no ${modelType} reads, is not zero but has ${added}, so that a run would not be its model; use a checkpoint without it, or plan without a run.`,
      );
    }
  }
}
