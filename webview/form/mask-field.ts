import { messageOf } from '../../src/core/errors';
import { makeScenario, type ScenarioText } from '../../src/core/scenario/scenario';
import { element } from '../dom';
import { setFieldInvalid, textField, type TextField } from '../ui/toolkit';
import type { FormField } from './form-field';

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
