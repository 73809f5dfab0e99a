import { formatCount, formatFigure, formatNumberOf } from '../format';
import type { OwnQuality } from './quality';
import type { Quality } from './report';

/**
 * What a report says of quality beside its means: at touched positions, by text, and which positions were scored. Rows of a name
 * and a text, in English; none for reports of earlier versions.
 *
 * @param textOf a report's words for means over positions
 */
export function scopeRows<Q extends Quality | OwnQuality>(
  quality: Q,
  textOf: (means: NonNullable<Q['touched']>) => string,
): (readonly [name: string, text: string])[] {
  const { touched, score, positions } = quality;
  const sized = sizedText(quality);
  return [
    ...(touched
      ? [['touched', `${textOf(touched)}, at ${formatCount(touched.positions)} of ${formatCount(positions)} positions`] as const]
      : []),
    ...(sized === undefined ? [] : [['by text', sized] as const]),
    ...(score === undefined ? [] : [['scored', scoreText(score, positions)] as const]),
  ];
}

/** Bits per byte and word perplexity, each with the model's own attention's; undefined where they are not known. */
function sizedText(quality: Quality | OwnQuality): string | undefined {
  const { bitsPerByte, wordPerplexity, sizeNote, baselineBitsPerByte, baselineWordPerplexity } = {
    baselineBitsPerByte: null,
    baselineWordPerplexity: null,
    ...quality,
  };
  const own = (value: number | null | undefined): string =>
    typeof value === 'number' ? ` (its own attention: ${formatFigure(value)})` : '';
  const parts = [
    ...(typeof bitsPerByte === 'number' ? [`${formatFigure(bitsPerByte)} bits per byte${own(baselineBitsPerByte)}`] : []),
    ...(typeof wordPerplexity === 'number' ? [`word perplexity ${formatFigure(wordPerplexity)}${own(baselineWordPerplexity)}`] : []),
  ];
  return parts.length === 0 ? undefined : [parts.join(', '), ...(typeof sizeNote === 'string' ? [sizeNote] : [])].join('; ');
}

/** Which positions were scored, in English. @param score as `--score` has it */
export function scoreText(score: string, positions: number): string {
  const which =
    score === 'all'
      ? 'all positions'
      : score === 'last-half'
        ? 'the last half of positions, as llama.cpp does'
        : `those after the first ${formatNumberOf(Number(score.replace('from=', '')), 'token')}`;
  return `${which}: ${formatCount(positions)}`;
}
