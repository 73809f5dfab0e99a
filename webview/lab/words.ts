import type { HeadChoice } from '../../src/core/atlas/view';
import { formatCount, formatNumberOf } from '../../src/core/format';
import { t } from '../l10n';

/** Tokens counted from 1, such as `513–768`. */
export function rangeText({ from, to }: { readonly from: number; readonly to: number }): string {
  return to - from <= 1 ? formatCount(from + 1) : `${formatCount(from + 1)}–${formatCount(to)}`;
}

/** The chosen heads in words. */
export function headName({ layer, head }: HeadChoice, heads: number): string {
  if (layer === null) {
    return head === null ? t('all {0}', formatNumberOf(heads, 'head')) : t('head {0} of every layer', head + 1);
  }
  return head === null ? t('all heads of layer {0}', layer + 1) : t('layer {0}, head {1}', layer + 1, head + 1);
}
