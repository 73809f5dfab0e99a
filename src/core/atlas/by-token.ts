/** Numbers of a prompt's curve at most: of longer prompts consecutive tokens share one. */
const mostNumbers = 4096;

/** How well each token of a prompt is predicted from those before it, as means over stretches of tokens. */
export interface TokenCurves {
  /** Tokens of a stretch: a power of two. The first stretch begins at the second token, since nothing predicts the first. */
  readonly stretch: number;
  /** Negative log-likelihood in nats under the model's own attention, to four decimals. */
  readonly loss: readonly number[];
  /** The same under the scenario, and KL(own || scenario) of the predictions in nats; null where there is no scenario. */
  readonly maskedLoss: readonly number[] | null;
  readonly divergence: readonly number[] | null;
}

/** The names of what is known of each predicted token. */
export type TokenValues = Readonly<Record<'loss' | 'maskedLoss' | 'divergence', Float32Array>>;

/** Curves from values of each predicted token, `[N - 1]`. @param masked whether there was a scenario */
export function tokenCurves({ loss, maskedLoss, divergence }: TokenValues, masked: boolean): TokenCurves {
  let stretch = 1;
  while (loss.length > mostNumbers * stretch) {
    stretch *= 2;
  }
  const means = (values: Float32Array): number[] =>
    Array.from({ length: Math.ceil(values.length / stretch) }, (_, index) => {
      const own = values.subarray(index * stretch, (index + 1) * stretch);
      return Math.round((1e4 * own.reduce((sum, value) => sum + value, 0)) / own.length) / 1e4;
    });
  return { stretch, loss: means(loss), maskedLoss: masked ? means(maskedLoss) : null, divergence: masked ? means(divergence) : null };
}
