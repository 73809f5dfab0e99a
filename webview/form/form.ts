import { optionTable } from '../../src/core/options/table';
import {
  choiceDefinition,
  choiceDefinitions,
  type ChoiceKind,
  type NumberName,
  numberParameters,
  type ScenarioParameters,
  type TextName,
  textParameters,
} from '../../src/core/scenario/scenario';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, freshId, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import type { View } from '../ui/section';
import { debounce, throttle } from '../ui/timing';
import { dropdown, type Dropdown, setChoice } from '../ui/toolkit';
import { type FormField, NumberField, type NumberQuestion, ParameterText } from './fields';

/** Pause in typing before the form is sent to the host, in milliseconds. */
const typingDelay = 200;

/** Interval at which a moving slider is sent to the host, in milliseconds: short, so that the plan follows the slider. */
const movingInterval = 50;

/** The scenario form: the mask, its parameters, and M. It sends requests; the host's next snapshot answers. */
export class ScenarioForm implements View {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #kind: Dropdown;
  readonly #description = element('span', { class: 'hint', 'data-testid': 'scenario-description' });
  readonly #parameters: ReadonlyMap<NumberName, NumberField>;
  readonly #texts: ReadonlyMap<TextName, ParameterText>;
  readonly #blockSize: NumberField;
  readonly #error = element('p', { class: 'error', role: 'alert', 'data-testid': 'form-error' });
  readonly #choose = debounce(() => this.#post(), typingDelay);
  readonly #move = throttle(() => this.#post(), movingInterval);
  #hostError: string | null = null;

  constructor(host: Host) {
    this.#host = host;
    const label = freshId('scenario');
    const choices = choiceDefinitions.map(({ kind, title }) => ({ value: kind, label: t(title) }));
    this.#kind = dropdown(choices, { 'data-testid': 'scenario', 'aria-labelledby': label }, () => {
      this.#showKind(this.#kind.value);
      this.#choose.now();
    });
    const number = (question: ConstructorParameters<typeof NumberField>[0], testId: string): NumberField =>
      new NumberField(
        question,
        testId,
        () => this.#typed(),
        () => this.#choose.flush(),
        () => this.#moved(),
      );
    this.#parameters = new Map(numberParameters.map((parameter) => [parameter.name, number(parameter, `param-${parameter.name}`)]));
    this.#texts = new Map(
      textParameters.map((parameter) => [
        parameter.name,
        new ParameterText(
          parameter,
          `param-${parameter.name}`,
          () => this.#typed(),
          () => this.#choose.flush(),
        ),
      ]),
    );
    this.#blockSize = number(blockSizeQuestion, 'block-size');
    const title = element('span', { id: label, class: 'label' }, t('Scenario'));
    const optionsTitle = t('Construction, model, device, precision, checks and limits are settings');
    const options = element('button', { class: 'link', type: 'button', title: optionsTitle, 'data-testid': 'options' }, t('All options'));
    options.addEventListener('click', () => host.post({ type: 'open-settings' }));
    const scenario = element(
      'div',
      { class: 'field' },
      element('div', { class: 'label-line' }, title, options),
      this.#kind,
      this.#description,
    );
    const numbers = [...this.#parameters.values(), this.#blockSize].map((field) => field.element);
    this.element = element('section', { class: 'form', 'aria-label': t('Scenario and block size') });
    this.element.append(
      scenario,
      ...[...this.#texts.values()].map((field) => field.element),
      element('div', { class: 'numbers' }, ...numbers),
      this.#error,
    );
  }

  update({ document, form, formError }: PanelSnapshot): void {
    setVisible(this.element, document !== null);
    if (!this.#kind.open) {
      setChoice(this.#kind, form.kind);
      this.#showKind(form.kind);
    }
    this.#parameters.forEach((field, name) => field.show(form.parameters[name]));
    this.#texts.forEach((field, name) => field.show(form.parameters[name]));
    this.#blockSize.show(form.blockSize);
    this.#hostError = formError;
    this.#showError();
  }

  /** Shows only the parameters of the chosen scenario. */
  #showKind(kind: string): void {
    const { description, parameters, text } = choiceDefinition(kind);
    const names = new Set<string>(parameters.map(({ name }) => name));
    setText(this.#description, t(description));
    this.#texts.forEach((field, name) => setVisible(field.element, name === text?.name));
    this.#parameters.forEach((field, name) => setVisible(field.element, names.has(name)));
  }

  #typed(): void {
    this.#showError();
    this.#choose.later();
  }

  /** A slider always holds a whole number, so the form can be sent at once. */
  #moved(): void {
    this.#showError();
    this.#move();
  }

  #post(): void {
    const blockSize = this.#blockSize.value;
    if (blockSize === undefined || this.#unreadable().length > 0) {
      return;
    }
    const parameters: ScenarioParameters = Object.fromEntries([...this.#texts].map(([name, field]) => [name, field.value]));
    for (const [name, field] of this.#parameters) {
      const value = field.value;
      if (value !== undefined) {
        parameters[name] = value;
      }
    }
    this.#host.post({ type: 'choose', choice: { kind: this.#kind.value as ChoiceKind, parameters, blockSize } });
  }

  #showError(): void {
    const fields = this.#unreadable();
    const message = fields[0]?.complaint ?? this.#hostError;
    setText(this.#error, message ?? '');
    setVisible(this.#error, message !== null);
    this.#fields().forEach((field) => field.mark(fields.includes(field)));
  }

  /** The visible fields whose text can't be read. */
  #unreadable(): readonly FormField[] {
    return this.#fields().filter((field) => !field.element.hidden && field.complaint !== undefined);
  }

  #fields(): readonly FormField[] {
    return [...this.#parameters.values(), ...this.#texts.values(), this.#blockSize];
  }
}

/** The slider for M covers useful sizes; its field takes any. */
const blockSizeQuestion: NumberQuestion = {
  ...optionTable.blockSize,
  ...optionTable.blockSize.value,
  slider: { minimum: 16, maximum: 8192 },
};
