/** A call of a canvas's context: what was drawn, and with which fill, stroke and opacity. */
export interface Stroke {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly fillStyle: unknown;
  readonly strokeStyle: unknown;
  readonly globalAlpha: unknown;
}

/** A made-up fill with a pattern. */
interface PatternFill {
  /** The colour that the pattern's square was painted with. */
  readonly colour: unknown;
  setTransform(): void;
}

/** Width of a character, in CSS pixels: texts are measured without a font. */
const characterWidth = 7;

/** A context that draws nothing and remembers what it was told, in place of a browser's: happy-dom has none. */
export class Pen {
  readonly canvas: HTMLCanvasElement;
  /** Everything that was drawn, the first first. */
  readonly strokes: Stroke[] = [];
  [state: string]: unknown;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    return new Proxy(this, {
      get: (target, name) => (name in target || typeof name === 'symbol' ? Reflect.get(target, name) : target.#method(name)),
    });
  }

  measureText(text: string): { readonly width: number } {
    return { width: characterWidth * text.length };
  }

  createPattern(square: HTMLCanvasElement): PatternFill {
    const pen = square.getContext('2d') as unknown as Pen;
    return { colour: pen['fillStyle'], setTransform: () => undefined };
  }

  getLineDash(): readonly number[] {
    return [];
  }

  /** Forgets what was drawn so far. */
  clear(): void {
    this.strokes.length = 0;
  }

  /** The calls of one method. */
  of(method: string): readonly Stroke[] {
    return this.strokes.filter((stroke) => stroke.method === method);
  }

  /** The texts that were written, the first first. */
  get texts(): readonly string[] {
    return this.of('fillText').map(({ args: [text] }) => String(text));
  }

  /** Properties of a context are undefined until they are set; all else is a method. */
  #method(name: string): ((...args: readonly unknown[]) => void) | undefined {
    if (properties.has(name)) {
      return undefined;
    }
    return (...args) => {
      const { fillStyle, strokeStyle, globalAlpha } = this as Readonly<Record<string, unknown>>;
      this.strokes.push({ method: name, args, fillStyle, strokeStyle, globalAlpha });
    };
  }
}

const properties = new Set(['fillStyle', 'strokeStyle', 'globalAlpha', 'font', 'lineWidth', 'textAlign', 'textBaseline', 'then']);
