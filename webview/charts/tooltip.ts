import type { TooltipOptions } from 'chart.js';
import type { Theme } from '../theme';

type Looks = Pick<
  TooltipOptions<'line'>,
  'backgroundColor' | 'titleColor' | 'bodyColor' | 'borderColor' | 'borderWidth' | 'cornerRadius' | 'displayColors'
>;

/** A tooltip that looks like the editor's hovers. */
export function tooltipOptions({ hover }: Theme): Looks {
  return {
    backgroundColor: hover.background,
    titleColor: hover.foreground,
    bodyColor: hover.foreground,
    borderColor: hover.border,
    borderWidth: 1,
    cornerRadius: 3,
    displayColors: false,
  };
}
