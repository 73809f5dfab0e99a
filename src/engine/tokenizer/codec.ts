/** Text to token ids, and back: a model's own tokenizer, or one that stands in for it. */
export interface Codec {
  /** @param special whether the model's special tokens are put around the text */
  encode(text: string, special: boolean): readonly number[];
  decode(ids: readonly number[]): string;
}
