import type { Mark } from '../src/core/scenario/scenario';

/** Fill pattern of an area: it tells areas apart without colour. */
export type Pattern = 'solid' | 'hatched' | 'dotted';

/** Side of a pattern's square in CSS pixels. */
const period = 6;
/** Opacity of the ground between strokes and dots. */
const groundOpacity = 0.3;

/**
 * A canvas fill in `colour` with `pattern`.
 *
 * @param pixelRatio device pixels per CSS pixel, so that strokes stay sharp
 * @param userScale scale that the context itself applies: 1 where it draws in device pixels
 */
export function patternFill(
  context: CanvasRenderingContext2D,
  colour: string,
  pattern: Pattern,
  pixelRatio: number,
  userScale = 1,
): string | CanvasPattern {
  if (pattern === 'solid') {
    return colour;
  }
  const square = document.createElement('canvas');
  const side = Math.round(period * pixelRatio);
  square.width = side;
  square.height = side;
  const pen = square.getContext('2d');
  const fill = pen && paintSquare(pen, side, colour, pattern) && context.createPattern(square, 'repeat');
  if (!fill) {
    return colour;
  }
  fill.setTransform(new DOMMatrix().scale(1 / userScale));
  return fill;
}

function paintSquare(pen: CanvasRenderingContext2D, side: number, colour: string, pattern: Pattern): boolean {
  pen.globalAlpha = groundOpacity;
  pen.fillStyle = colour;
  pen.fillRect(0, 0, side, side);
  pen.globalAlpha = 1;
  pen.beginPath();
  if (pattern === 'dotted') {
    pen.arc(side / 2, side / 2, side / 3.4, 0, 2 * Math.PI);
    pen.fill();
    return true;
  }
  // Three parallels, so that the corners continue in the neighbouring squares.
  for (const shift of [-side, 0, side]) {
    pen.moveTo(shift - 1, side + 1);
    pen.lineTo(shift + side + 1, -1);
  }
  pen.strokeStyle = colour;
  pen.lineWidth = side / 3;
  pen.stroke();
  return true;
}

/** The colours and fonts of the current VS Code theme, for canvases, which CSS cannot style. */
export interface Theme {
  /** Whether what is drawn has to stand out against light or against dark. */
  readonly ground: 'light' | 'dark';
  readonly foreground: string;
  /** Secondary text. */
  readonly muted: string;
  readonly background: string;
  /** Outlines of areas and axes. */
  readonly border: string;
  readonly grid: string;
  readonly focus: string;
  readonly hover: { readonly background: string; readonly foreground: string; readonly border: string };
  readonly fontFamily: string;
  /** In CSS pixels. */
  readonly fontSize: number;
  readonly colours: Readonly<Record<Colour, string>>;
}

/** The colours of the chart palette that the page uses. */
export type Colour = Mark['colour'];

/** Parts of the editor that pages lie on. */
type Surface = 'sideBar' | 'editor';

/** Reads the theme, again whenever VS Code changes it, and notifies its listeners. */
export class ThemeWatcher {
  readonly #surface: Surface;
  #current: Theme;
  readonly #listeners: ((theme: Theme) => void)[] = [];

  /** @param surface what the page lies on */
  constructor(surface: Surface = 'sideBar') {
    this.#surface = surface;
    this.#current = readTheme(surface);
    const observer = new MutationObserver(() => {
      this.#current = readTheme(this.#surface);
      this.#listeners.forEach((listener) => listener(this.#current));
    });
    observer.observe(document.body, { attributeFilter: ['class', 'data-vscode-theme-id'] });
    // VS Code sets the variables on the root element's style.
    observer.observe(document.documentElement, { attributeFilter: ['style', 'class'] });
  }

  /** The theme as last read. */
  get current(): Theme {
    return this.#current;
  }

  /** Calls `listener` after every change of the theme. */
  onChange(listener: (theme: Theme) => void): void {
    this.#listeners.push(listener);
  }
}

function readTheme(surface: Surface): Theme {
  const style = getComputedStyle(document.body);
  /** The first of the variables that the theme defines. */
  const first = (fallback: string, ...names: readonly string[]): string =>
    names.map((name) => style.getPropertyValue(`--vscode-${name}`).trim()).find((value) => value !== '') ?? fallback;

  const foreground = first(style.color, 'foreground', 'editor-foreground');
  const background = first('Canvas', `${surface}-background`, 'editor-background');
  const border = first(foreground, 'contrastBorder', 'charts-lines', 'descriptionForeground');
  const { classList } = document.body;
  return {
    ground: classList.contains('vscode-light') || classList.contains('vscode-high-contrast-light') ? 'light' : 'dark',
    foreground,
    muted: first(foreground, 'descriptionForeground'),
    background,
    border,
    grid: first(border, 'contrastBorder', 'editorWidget-border', 'widget-border', 'panel-border'),
    focus: first(foreground, 'contrastActiveBorder', 'focusBorder'),
    hover: {
      background: first(background, 'editorHoverWidget-background', 'editorWidget-background'),
      foreground: first(foreground, 'editorHoverWidget-foreground', 'editorWidget-foreground'),
      border: first(border, 'contrastBorder', 'editorHoverWidget-border'),
    },
    fontFamily: first('sans-serif', 'font-family'),
    fontSize: Number.parseFloat(first('13', 'font-size')) || 13,
    colours: {
      blue: first('#3794ff', 'charts-blue', 'editorInfo-foreground'),
      orange: first('#d18616', 'charts-orange', 'editorWarning-foreground'),
      purple: first('#b180d7', 'charts-purple', 'symbolIcon-classForeground'),
      green: first('#388a34', 'charts-green', 'testing-iconPassed'),
      red: first('#f14c4c', 'charts-red', 'editorError-foreground'),
      yellow: first('#cca700', 'charts-yellow', 'editorWarning-foreground'),
      foreground,
    },
  };
}
