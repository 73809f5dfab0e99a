/** How an area is filled, besides its colour: what a reader who does not see colours goes by. */
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
