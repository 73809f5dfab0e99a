import { localised, messageShown, text } from '../l10n';

/** What verdicts say, in English, with `{0}` for values: they are made where no language is known, and translated where they are shown. */
export const verdictWords = {
  notNumbers: text('The predictions are not numbers: something in the run overflowed.'),
  nothingVerified: text('Nothing was verified, so nothing is promised.'),
  notFinite: text('An error is not finite: something in the run overflowed, or a row lost all its keys.'),
  probeRows: text('The probe finds these rows wrong: {0}.'),
  row: text('{0} of head {1} in layer {2}'),
  rowOff: text('Row {0} is off by more than rounding explains{1}.'),
  another: text(', and another row'),
  others: text(', and {0} other rows at least'),
  halo: text('A shard lacks row {0} of layer {1}, on which its own rows depend, or shows it other keys than the prompt does.'),
  choice: text('The choice of tiles in layer {0} {1}.'),
  tokenwiseRow: text('Row {0} of layer {1}, its projections or what the layer makes of its attention, is not what the weights give.'),
  lossOff: text('A loss or divergence at position {0} is off by {1} nats, beyond float32 rounding, {2}.'),
  activations: text(
    'Activations are rounded to {0}: of the rows compared, one in each of {1} layers, the worst is off by {2} of its largest number, and may be by {3}; attention is within its own bound.',
  ),
  lossVacuous: text('A loss or divergence may be off by {0} nats by float32 rounding of its logits, which promises nothing.'),
  denseDiffers: text('Its predictions differ from those of dense attention by a mean KL of {0} nats, beyond {1}.'),
  denseAgrees: text(
    'Its predictions are those of dense attention up to a mean KL of {0} nats, within {1}; the attention itself was not verified.',
  ),
  noBound: text('No bound was kept with these errors, so they prove nothing.'),
  literalLoss: text('what the literal formulas of construction paper lose in {0}'),
  boxRounding: text('{0} rounding of scores, read through a synthetic token'),
  rounding: text('{0} rounding'),
  rowBeyond: text('A row is off by {0} of the largest value, beyond {1}, {2}.'),
  rowVacuous: text('A row may be off by {0} of the largest value by {1}, which promises nothing.'),
  rowsWithin: text('Every row compared is within {0}: the one nearest to its bound is off by {1} of the largest value, and may be by {2}.'),
  noSamples: text('No samples were tried, so nothing is stated of the error of this one.'),
  sampledVacuous: text('Theorem 4.1 guarantees an error of {0} here and statistics expect {1}, which promises nothing.'),
  upTo: text('up to {0}'),
  any: text('any'),
  sampledBeyond: text('An error of {0} is beyond the {1} that {2}.'),
  sampledWithin: text('Errors of up to {0} are within the {1} that {2}.'),
  byTheorem: text('theorem 4.1 guarantees'),
  byStatistics: text('statistics expect of the sample'),
  squares: text('The mean square error of the {0} is {1} times that of samples of {2} keys, and may be {3} to {4} times.'),
  overflowed: text('The residual stream of {0} rows overflowed: no norm of it is right.'),
  missed: text('The check did not look at {0} of {1} {2}.'),
} as const;

/** What a check may not have looked at, by its name in a report's coverage. */
export const coverageWords = {
  layers: text('layers'),
  heads: text('heads of layers'),
  blocks: text('query blocks of heads and layers'),
  rows: text('rows of heads and layers'),
  probes: text('kinds of layer by the probe'),
  probeRows: text('rows by the probe'),
  tokenwise: text('layers by a row token by token'),
  halos: text('halos of shards'),
  predictions: text('positions of quality'),
  steps: text('layers of decoding steps'),
} as const;

const messages = [...Object.values(verdictWords), ...Object.values(coverageWords)];

/** A verdict's reason in the editor's language; one that another version made stays English. */
export function reasonShown(reason: string): string {
  const shown = localised(reason, messages);
  return shown === reason ? messageShown(reason) : shown;
}
