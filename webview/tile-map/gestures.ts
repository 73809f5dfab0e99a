/** A point of the canvas in CSS pixels. */
export interface Point {
  readonly offsetX: number;
  readonly offsetY: number;
}

/** What gestures do. */
export interface GestureActions {
  readonly zoom: (factor: number, at: Point) => void;
  /** Moves what is shown by CSS pixels. @returns whether it could move */
  readonly pan: (right: number, down: number) => boolean;
}

/** Pixels that a pointer may move in a click. */
const clickTolerance = 4;
/** How fast a wheel zooms, and the most that one turn of it counts: a pinch sends many small ones, a mouse few large ones. */
const wheelRate = 0.01;
const mostWheel = 40;
/** Pixels of a wheel's line. */
const linePixels = 16;

/** Wheel, drag and pinch on a canvas. A wheel turn that moves nothing is left to the page, which scrolls. */
export function listenToGestures(canvas: HTMLCanvasElement, { zoom, pan }: GestureActions): void {
  const pointers = new Map<number, Point>();
  let moved = false;

  canvas.addEventListener('wheel', (event) => {
    const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? linePixels : 1;
    if (event.ctrlKey || event.metaKey) {
      zoom(Math.exp(-wheelRate * Math.min(mostWheel, Math.max(-mostWheel, event.deltaY * scale))), event);
    } else if (!pan(event.deltaX * scale, event.deltaY * scale)) {
      return;
    }
    event.preventDefault();
  });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button === 0) {
      moved &&= pointers.size > 0;
      pointers.set(event.pointerId, pointOf(event));
    }
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 0) {
      // Released outside the canvas.
      pointers.delete(event.pointerId);
    }
    const before = pointers.get(event.pointerId);
    const now = pointOf(event);
    if (before === undefined || (!moved && distance(before, now) < clickTolerance)) {
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      moved = true;
      zoom(distance(now, other) / Math.max(1, distance(before, other)), other);
    } else if (pan(before.offsetX - now.offsetX, before.offsetY - now.offsetY)) {
      moved = true;
      canvas.setPointerCapture(event.pointerId);
    }
    canvas.classList.toggle('dragging', moved);
    pointers.set(event.pointerId, now);
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(end, ({ pointerId }) => {
      pointers.delete(pointerId);
      canvas.classList.remove('dragging');
    });
  }
  // The click that ends a drag chooses no tile.
  canvas.addEventListener('click', (event) => moved && event.stopImmediatePropagation());
}

function pointOf({ offsetX, offsetY }: Point): Point {
  return { offsetX, offsetY };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY);
}
