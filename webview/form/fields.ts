import { formatCount } from '../../src/core/format';
import { element } from '../dom';
import { t } from '../l10n';
import { setFieldInvalid, textField, type TextField } from '../ui/toolkit';
import type { FormField } from './form-field';
import { Slider } from './slider';

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
