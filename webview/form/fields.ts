import { messageOf } from '../../src/core/errors';
import { formatCount } from '../../src/core/format';
import { makeScenario, type ScenarioText } from '../../src/core/scenario/scenario';
import { element, setAttributes } from '../dom';
import { t } from '../l10n';
import { setFieldInvalid, textField, type TextField } from '../ui/toolkit';

/** A field of the scenario form. */
export interface FormField {
  readonly element: HTMLElement;
  /** What is wrong with what is in it, or undefined. */
  readonly complaint: string | undefined;
  /** Marks it as refused, or not. */
  mark(invalid: boolean): void;
}

/** Steps of the slider for each doubling: M = 64, 91, 128. */
const stepsPerDoubling = 2;

/** A slider over whole numbers, on a logarithmic scale: small ones matter as much as large ones. */
class Slider {
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

/** What a number field asks for: a `ScenarioParameter`, or the block size. */
export interface NumberQuestion {
  readonly title: string;
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number;
  /** The numbers that a slider beside the field reaches; without them there is none. */
  readonly slider?: { readonly minimum: number; readonly maximum: number };
}

/** A labelled field for one whole number, which never overwrites what the user is typing. */
export class NumberField implements FormField {
  readonly element: HTMLElement;
  readonly #question: NumberQuestion;
  readonly #field: TextField;
  readonly #slider: Slider | undefined;
  /** The value that the host last showed. */
  #shown: number;

  /**
   * @param onInput hears every key
   * @param onCommit hears Enter and leaving the field
   * @param onMove hears every movement of the slider
   */
  constructor(question: NumberQuestion, testId: string, onInput: () => void, onCommit: () => void, onMove: () => void) {
    const { title, description, minimum, maximum } = question;
    this.#question = question;
    this.#shown = question.default;
    const asked = t('{0} {1} to {2}; default {3}.', description, formatCount(minimum), formatCount(maximum), formatCount(question.default));
    const hint = element('span', { class: 'hint' }, description);
    this.#field = textField({ 'data-testid': testId, title: asked, autocomplete: 'off', spellcheck: 'false' }, onInput, () => {
      onCommit();
      this.#restoreIfUnreadable();
    });
    this.#field.textContent = title;
    this.#field.value = String(question.default);
    const { slider } = question;
    this.#slider =
      slider &&
      new Slider(title, slider.minimum, slider.maximum, `${testId}-slider`, (value) => {
        this.#field.value = String(value);
        onMove();
      });
    this.#slider?.show(question.default);
    this.element = element('div', { class: 'field' }, this.#field, ...(this.#slider ? [this.#slider.element] : []), hint);
  }

  /** The whole number in the field, or undefined where the text is none. */
  get value(): number | undefined {
    const text = this.#field.value.trim().replaceAll(',', '');
    return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /** What is wrong with the text, or undefined. Ranges are the host's to judge. */
  get complaint(): string | undefined {
    const { title, minimum, maximum } = this.#question;
    return this.value === undefined
      ? t('{0} needs a whole number from {1} to {2}.', title, formatCount(minimum), formatCount(maximum))
      : undefined;
  }

  /** Shows the host's value, except while the user is in the field. */
  show(value: number | undefined): void {
    this.#shown = value ?? this.#question.default;
    this.#slider?.show(this.#shown);
    if (!this.#field.matches(':focus-within, :focus') && this.value !== this.#shown) {
      this.#field.value = String(this.#shown);
    }
  }

  /** Marks the field as refused. */
  mark(invalid: boolean): void {
    setFieldInvalid(this.#field, invalid);
  }

  #restoreIfUnreadable(): void {
    if (this.value === undefined && !this.#field.matches(':focus-within, :focus')) {
      this.#field.value = String(this.#shown);
      this.mark(false);
    }
  }
}

/** A labelled field for a mask expression, checked at every key, which never overwrites what the user is typing. */
export class MaskField implements FormField {
  readonly element: HTMLElement;
  readonly #field: TextField;
  readonly #default: string;

  /**
   * @param onInput hears every key
   * @param onCommit hears Enter and leaving the field
   */
  constructor({ title, description, default: standard }: ScenarioText, testId: string, onInput: () => void, onCommit: () => void) {
    this.#default = standard;
    this.#field = textField(
      { 'data-testid': testId, title: description, autocomplete: 'off', spellcheck: 'false', class: 'expression' },
      onInput,
      onCommit,
    );
    this.#field.textContent = title;
    this.#field.value = standard;
    this.element = element('div', { class: 'field wide-field' }, this.#field, element('span', { class: 'hint' }, description));
  }

  get value(): string {
    return this.#field.value.trim();
  }

  get complaint(): string | undefined {
    try {
      makeScenario('custom', { expression: this.value });
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Shows the host's value, except while the user is in the field. */
  show(value: string | undefined): void {
    const shown = value ?? this.#default;
    if (!this.#field.matches(':focus-within, :focus') && this.#field.value !== shown) {
      this.#field.value = shown;
    }
  }

  mark(invalid: boolean): void {
    setFieldInvalid(this.#field, invalid);
  }
}
