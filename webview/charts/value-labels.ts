import type { ChartType, Plugin } from 'chart.js';
import type { BarKind } from './bar-configure';

/** The plugin's options: how a sum is written. */
export interface ValueLabelOptions {
  readonly format?: (value: number) => string;
}

declare module 'chart.js' {
  interface PluginOptionsByType<TType extends ChartType> {
    valueLabels?: TType extends BarKind ? ValueLabelOptions : never;
  }
}

/** Chart.js plugin: the sum of a category at the end of its bar or its marker, whichever reaches further. */
export const valueLabels: Plugin<BarKind, ValueLabelOptions> = {
  id: 'valueLabels',
  afterDatasetsDraw(chart, _args, { format }) {
    const { ctx: pen, data } = chart;
    const rows = data.labels?.length ?? 0;
    pen.save();
    const { color } = chart.options;
    pen.fillStyle = typeof color === 'string' ? color : 'gray';
    pen.font = `${chart.options.font?.size}px ${chart.options.font?.family}`;
    pen.textBaseline = 'middle';
    for (let row = 0; row < rows; row += 1) {
      let sum = 0;
      let known = false;
      let end = 0;
      let middle = 0;
      for (const { type, data: parts, index } of chart.getSortedVisibleDatasetMetas()) {
        const value = data.datasets[index].data[row];
        if (value === null) {
          continue;
        }
        const { x, y } = parts[row].getProps(['x', 'y'], true) as { x: number; y: number };
        if (type === 'bar') {
          sum += Number(value);
          known = true;
          middle = y;
        }
        end = Math.max(end, type === 'bar' ? x + 5 : x + 10);
      }
      if (known) {
        pen.fillText(format?.(sum) ?? String(sum), end, middle);
      }
    }
    pen.restore();
  },
};
