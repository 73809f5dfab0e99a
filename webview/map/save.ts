import { scenarioLabel } from '../../src/core/scenario/scenario';
import { formatCount } from '../../src/core/format';
import type { Plan } from '../../src/core/plan/plan';
import type { TileKind } from '../../src/core/plan/tiles';
import { element } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { button } from '../ui/toolkit';
import { looks } from './paint';
import { mapSvg } from '../../src/core/draw/map/svg';
import type { TileCanvas } from './tile-canvas';
import { kindCounts, mapSummary } from './wording';

/** Pixels of a saved bitmap per unit of the drawing: sharp on paper and on dense screens. */
const pixelRatio = 2;

/** Saves the shown part of the map as a picture. The host asks for the file. */
export class Save {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #canvas: TileCanvas;
  readonly #theme: ThemeWatcher;
  #plan: Plan | null = null;

  constructor(host: Host, canvas: TileCanvas, theme: ThemeWatcher) {
    this.#host = host;
    this.#canvas = canvas;
    this.#theme = theme;
    const svg = button(t('Save as SVG'), 'secondary', { 'data-testid': 'save-svg' }, () => this.#saveSvg());
    const png = button(t('Save as PNG'), 'secondary', { 'data-testid': 'save-png' }, () => void this.#savePng());
    this.element = element('div', { class: 'toolbar', role: 'group', 'aria-label': t('Save the map as a picture') }, svg, png);
  }

  /** Switches to another plan. */
  show(plan: Plan): void {
    this.#plan = plan;
  }

  #saveSvg(): void {
    if (this.#plan !== null) {
      this.#host.post({ type: 'save-picture', format: 'svg', data: new TextEncoder().encode(this.#draw(this.#plan)) });
    }
  }

  async #savePng(): Promise<void> {
    if (this.#plan === null) {
      return;
    }
    const image = new Image();
    // The page's content security policy allows its own images as data URLs.
    image.src = `data:image/svg+xml,${encodeURIComponent(this.#draw(this.#plan))}`;
    await image.decode();
    const bitmap = element('canvas', { width: pixelRatio * image.naturalWidth, height: pixelRatio * image.naturalHeight });
    bitmap.getContext('2d')?.drawImage(image, 0, 0, bitmap.width, bitmap.height);
    const blob = await new Promise<Blob | null>((resolve) => bitmap.toBlob(resolve, 'image/png'));
    if (blob !== null) {
      this.#host.post({ type: 'save-picture', format: 'png', data: new Uint8Array(await blob.arrayBuffer()) });
    }
  }

  #draw(plan: Plan): string {
    const { foreground, muted, background, fontFamily, colours } = this.#theme.current;
    const kinds = (Object.keys(plan.tilesByKind) as TileKind[]).filter((kind) => plan.tilesByKind[kind] > 0);
    const lookOf = (kind: TileKind): { readonly colour: string; readonly pattern: 'solid' | 'hatched' | 'dotted' } => ({
      ...looks[kind],
      colour: colours[looks[kind].colour],
    });
    return mapSvg({
      name: 'tile-map',
      queryBlocks: plan.queryBlocks,
      shown: this.#canvas.shown,
      title: t(
        'Tile map: {0}, {1} tokens in blocks of {2}',
        scenarioLabel(plan.scenario),
        formatCount(plan.tokens),
        formatCount(plan.blockSize),
      ),
      description: mapSummary(plan),
      axes: t('query blocks ↓  key blocks →'),
      legend: kinds.map((kind) => ({ kind, label: kindCounts[kind](formatCount(plan.tilesByKind[kind])) })),
      looks: { full: lookOf('full'), partial: lookOf('partial'), sampled: lookOf('sampled'), chosen: lookOf('chosen') },
      foreground,
      muted,
      background,
      fontFamily,
    });
  }
}
