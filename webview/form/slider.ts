import { element, setAttributes } from '../dom';

/** Steps of the slider for each doubling: M = 64, 91, 128. */
const stepsPerDoubling = 2;

/** A slider over whole numbers, on a logarithmic scale: small ones matter as much as large ones. */
export class Slider {
  readonly element: HTMLInputElement;
  readonly #minimum: number;

  /** @param onMove hears the number at every movement */
  constructor(title: string, minimum: number, maximum: number, testId: string, onMove: (value: number) => void) {
    this.#minimum = minimum;
    this.element = element('input', {
      type: 'range',
      min: 0,
      max: this.#stepOf(maximum),
      step: 1,
      'aria-label': title,
      'data-testid': testId,
      class: 'slider',
    });
    this.element.addEventListener('input', () => {
      const value = this.#valueOf(Number(this.element.value));
      this.#announce(value);
      onMove(value);
    });
  }

  /** Shows a number that was chosen elsewhere. */
  show(value: number): void {
    if (!this.element.matches(':active')) {
      this.element.value = String(this.#stepOf(value));
      this.#announce(value);
    }
  }

  /** Screen readers are told the number, not the step. */
  #announce(value: number): void {
    setAttributes(this.element, { 'aria-valuetext': String(value) });
  }

  #stepOf(value: number): number {
    return Math.round(stepsPerDoubling * Math.log2(value / this.#minimum));
  }

  #valueOf(step: number): number {
    return Math.round(this.#minimum * 2 ** (step / stepsPerDoubling));
  }
}
