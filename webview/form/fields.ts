import { errorShown, InputError } from '../../src/core/errors';
import { formatCount } from '../../src/core/format';
import type { TextParameter } from '../../src/core/scenario/scenario';
import { element, setAttributes } from '../dom';
import { t } from '../l10n';
import { setFieldInvalid, textField, type TextField } from '../ui/toolkit';

/** A field of the scenario form. */
export interface FormField {
  readonly element: HTMLElement;
  /** What is wrong with the field's text, or undefined. */
  readonly complaint: string | undefined;
  /** Marks the field as refused, or clears the mark. */
  mark(invalid: boolean): void;
}

/** Slider steps per doubling: M = 64, 91, 128. */
const stepsPerDoubling = 2;

/** A slider over whole numbers on a logarithmic scale, so that small numbers get as much room as large ones. */
class Slider {
  readonly element: HTMLInputElement;
  readonly #minimum: number;

  /** @param onMove called with the number at every movement */
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
      this.#announce(String(value));
      onMove(value);
    });
  }

  /** Shows a number chosen elsewhere; a 0 with a special meaning is at the start of the slider, announced by its word. */
  show(value: number, word = String(value)): void {
    if (!this.element.matches(':active')) {
      this.element.value = String(value === 0 ? 0 : this.#stepOf(value));
      this.#announce(word);
    }
  }

  /** Screen readers announce the number, not the step. */
  #announce(value: string): void {
    setAttributes(this.element, { 'aria-valuetext': value });
  }

  #stepOf(value: number): number {
    return Math.round(stepsPerDoubling * Math.log2(value / this.#minimum));
  }

  #valueOf(step: number): number {
    return Math.round(this.#minimum * 2 ** (step / stepsPerDoubling));
  }
}

/** What a number field asks for: a scenario's parameter, or the block size. Texts are in English until shown. */
export interface NumberQuestion {
  readonly title: string;
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number;
  /** The word shown for 0, where 0 means something special, and what it means. */
  readonly zero?: { readonly word: string; readonly meaning: string };
  /** The range of a slider beside the field; without it there is no slider. */
  readonly slider?: { readonly minimum: number; readonly maximum: number };
}

/** A labelled field for one whole number. It never overwrites what the user is typing. */
export class NumberField implements FormField {
  readonly element: HTMLElement;
  readonly #question: NumberQuestion;
  readonly #field: TextField;
  readonly #slider: Slider | undefined;
  /** The value that the host showed last. */
  #shown: number;

  /**
   * @param onInput called at every keystroke
   * @param onCommit called on Enter and when the field loses the focus
   * @param onMove called at every movement of the slider
   */
  constructor(question: NumberQuestion, testId: string, onInput: () => void, onCommit: () => void, onMove: () => void) {
    const { minimum, maximum, zero } = question;
    const title = t(question.title);
    const description =
      zero === undefined ? t(question.description) : `${t(question.description)} ${t('{0}: {1}.', zero.word, t(zero.meaning))}`;
    this.#question = question;
    this.#shown = question.default;
    const asked = t('{0} {1} to {2}; default {3}.', description, formatCount(minimum), formatCount(maximum), formatCount(question.default));
    const hint = element('span', { class: 'hint' }, description);
    this.#field = textField({ 'data-testid': testId, title: asked, autocomplete: 'off', spellcheck: 'false' }, onInput, () => {
      onCommit();
      this.#restoreIfUnreadable();
    });
    this.#field.textContent = title;
    this.#field.value = this.#textOf(question.default);
    const { slider } = question;
    this.#slider =
      slider &&
      new Slider(title, slider.minimum, slider.maximum, `${testId}-slider`, (value) => {
        this.#field.value = String(value);
        onMove();
      });
    this.#slider?.show(question.default, this.#textOf(question.default));
    this.element = element('div', { class: 'field' }, this.#field, ...(this.#slider ? [this.#slider.element] : []), hint);
  }

  /** The whole number in the field, or undefined if the text is not one. */
  get value(): number | undefined {
    const text = this.#field.value.trim().replaceAll(',', '');
    if (text !== '' && text === this.#question.zero?.word) {
      return 0;
    }
    return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /** What is wrong with the text, or undefined. The host checks ranges. */
  get complaint(): string | undefined {
    const { title, minimum, maximum } = this.#question;
    return this.value === undefined ? t('{0} must be {1} to {2}.', t(title), formatCount(minimum), formatCount(maximum)) : undefined;
  }

  /** Shows the host's value, unless the user is in the field. */
  show(value: number | undefined): void {
    this.#shown = value ?? this.#question.default;
    this.#slider?.show(this.#shown, this.#textOf(this.#shown));
    if (!this.#field.matches(':focus-within, :focus') && this.value !== this.#shown) {
      this.#field.value = this.#textOf(this.#shown);
    }
  }

  /** Marks the field as refused. */
  mark(invalid: boolean): void {
    setFieldInvalid(this.#field, invalid);
  }

  #textOf(value: number): string {
    return (value === 0 ? this.#question.zero?.word : undefined) ?? String(value);
  }

  #restoreIfUnreadable(): void {
    if (this.value === undefined && !this.#field.matches(':focus-within, :focus')) {
      this.#field.value = this.#textOf(this.#shown);
      this.mark(false);
    }
  }
}

/**
 * A labelled field for a scenario's text, such as a mask expression. It checks the text at every keystroke and never
 * overwrites what the user is typing.
 */
export class ParameterText implements FormField {
  readonly element: HTMLElement;
  readonly #field: TextField;
  readonly #parameter: TextParameter;

  /** @param onInput called at every keystroke @param onCommit called on Enter and when the field loses the focus */
  constructor(parameter: TextParameter, testId: string, onInput: () => void, onCommit: () => void) {
    const description = t(parameter.description);
    this.#parameter = parameter;
    this.#field = textField(
      { 'data-testid': testId, title: description, autocomplete: 'off', spellcheck: 'false', class: 'expression' },
      onInput,
      onCommit,
    );
    this.#field.textContent = t(parameter.title);
    this.#field.value = parameter.default;
    this.element = element('div', { class: 'field wide-field' }, this.#field, element('span', { class: 'hint' }, description));
  }

  get value(): string {
    return this.#field.value.trim();
  }

  get complaint(): string | undefined {
    try {
      this.#parameter.check(this.value);
      return undefined;
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      return errorShown(error);
    }
  }

  /** Shows the host's value, unless the user is in the field. */
  show(value: string | undefined): void {
    const shown = value ?? this.#parameter.default;
    if (!this.#field.matches(':focus-within, :focus') && this.#field.value !== shown) {
      this.#field.value = shown;
    }
  }

  mark(invalid: boolean): void {
    setFieldInvalid(this.#field, invalid);
  }
}
