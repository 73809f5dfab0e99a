import type { ChartType, Plugin } from 'chart.js';
import type { LineModel, LinePoint } from './line-model';

/** The plugin's options: the place that stands out, and the colour of what is drawn. */
export interface MarkOptions {
  readonly mark?: LineModel['mark'];
  readonly colour?: string;
}

declare module 'chart.js' {
  interface PluginOptionsByType<TType extends ChartType> {
    marks?: TType extends 'line' ? MarkOptions : never;
  }
}

/** Chart.js plugin: a dotted line up from the place on x that stands out, with its label above. */
export const marks: Plugin<'line', MarkOptions> = {
  id: 'marks',
  beforeDatasetsDraw({ ctx: pen, chartArea: { top, bottom, left, right }, scales, options }, _args, { mark, colour }) {
    if (!mark || mark.x < scales['x'].min || mark.x > scales['x'].max) {
      return;
    }
    const x = scales['x'].getPixelForValue(mark.x);
    pen.save();
    pen.strokeStyle = colour ?? 'gray';
    pen.fillStyle = pen.strokeStyle;
    pen.setLineDash([1, 3]);
    pen.beginPath();
    pen.moveTo(x, top);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.font = `${options.font?.size}px ${options.font?.family}`;
    pen.textBaseline = 'bottom';
    const half = pen.measureText(mark.label).width / 2;
    pen.textAlign = 'center';
    pen.fillText(mark.label, Math.min(Math.max(x, left + half), right - half), top - 1);
    pen.restore();
  },
};

/** Half the width of an interval's ends, in CSS pixels. */
const capWidth = 3;

/** Chart.js plugin: the interval of every point that has one, as a whisker. */
export const intervals: Plugin<'line'> = {
  id: 'intervals',
  beforeDatasetsDraw(chart) {
    const {
      ctx: pen,
      chartArea: { top, bottom },
      scales,
    } = chart;
    const onChart = (y: number): number => Math.min(Math.max(scales['y'].getPixelForValue(y), top), bottom);
    pen.save();
    for (const { data, index } of chart.getSortedVisibleDatasetMetas()) {
      const { borderColor, data: points } = chart.data.datasets[index];
      pen.strokeStyle = typeof borderColor === 'string' ? borderColor : 'gray';
      pen.lineWidth = 1;
      pen.beginPath();
      (points as LinePoint[]).forEach(({ low, high }, place) => {
        if (low === undefined || high === undefined) {
          return;
        }
        const { x } = data[place].getProps(['x'], true) as { x: number };
        // Below 0 a logarithmic axis ends: the whisker goes to its floor.
        const [from, to] = [low > 0 || scales['y'].type === 'linear' ? onChart(low) : bottom, onChart(high)];
        pen.moveTo(x, from);
        pen.lineTo(x, to);
        for (const end of [from, to]) {
          pen.moveTo(x - capWidth, end);
          pen.lineTo(x + capWidth, end);
        }
      });
      pen.stroke();
    }
    pen.restore();
  },
};
