import {
  choiceDefinition,
  choiceDefinitions,
  customText,
  type ChoiceKind,
  type NumberName,
  type ScenarioParameter,
  type ScenarioParameters,
} from '../../src/core/scenario/scenario';
import { defaultOptions } from '../../src/core/options/options';
import { maximumTokens } from '../../src/core/plan/partition';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, freshId, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { t } from '../l10n';
import { dropdown, setChoice, type Dropdown } from '../ui/toolkit';
import type { View } from '../ui/section';
import { debounce, throttle } from '../ui/timing';
import { type FormField, MaskField, NumberField, type NumberQuestion } from './fields';

type ParameterName = NumberName;

/** How long typing must rest before the host hears of it, in milliseconds. */
const typingDelay = 200;

/** How often the host hears of a slider that is being moved, in milliseconds: the plan follows the hand. */
const movingInterval = 50;

/** The scenario form: which mask, its parameters, and M. It asks; the host's next snapshot answers. */
export class ScenarioForm implements View {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #kind: Dropdown;
  readonly #description = element('span', { class: 'hint', 'data-testid': 'scenario-description' });
  readonly #parameters: ReadonlyMap<ParameterName, NumberField>;
  readonly #mask: MaskField;
  readonly #blockSize: NumberField;
  readonly #error = element('p', { class: 'error', role: 'alert', 'data-testid': 'form-error' });
  readonly #choose = debounce(() => this.#post(), typingDelay);
  readonly #move = throttle(() => this.#post(), movingInterval);
  #hostError: string | null = null;

  constructor(host: Host) {
    this.#host = host;
    const label = freshId('scenario');
    const choices = choiceDefinitions.map(({ kind, title }) => ({ value: kind, label: title }));
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
    this.#parameters = new Map(
      allParameters().map((parameter) => [parameter.name, number(questionOf(parameter), `param-${parameter.name}`)]),
    );
    this.#mask = new MaskField(
      customText,
      'param-expression',
      () => this.#typed(),
      () => this.#choose.flush(),
    );
    this.#blockSize = number(blockSizeQuestion(), 'block-size');
    const title = element('span', { id: label, class: 'label' }, t('Scenario'));
    const scenario = element('div', { class: 'field' }, title, this.#kind, this.#description);
    const numbers = [...this.#parameters.values(), this.#blockSize].map((field) => field.element);
    this.element = element('section', { class: 'form', 'aria-label': t('Scenario and block size') });
    this.element.append(scenario, this.#mask.element, element('div', { class: 'numbers' }, ...numbers), this.#error);
  }

  update({ document, form, formError }: PanelSnapshot): void {
    setVisible(this.element, document !== null);
    if (!this.#kind.open) {
      setChoice(this.#kind, form.kind);
      this.#showKind(form.kind);
    }
    this.#parameters.forEach((field, name) => field.show(form.parameters[name]));
    this.#mask.show(form.parameters.expression);
    this.#blockSize.show(form.blockSize);
    this.#hostError = formError;
    this.#showError();
  }

  /** Only the parameters that the chosen scenario has. */
  #showKind(kind: string): void {
    const { description, parameters, text } = choiceDefinition(kind);
    setVisible(this.#mask.element, text !== undefined);
    const names = new Set<string>(parameters.map(({ name }) => name));
    setText(this.#description, description);
    this.#parameters.forEach((field, name) => setVisible(field.element, names.has(name)));
  }

  #typed(): void {
    this.#showError();
    this.#choose.later();
  }

  /** A slider moved: the number is whole, and the plan is to follow. */
  #moved(): void {
    this.#showError();
    this.#move();
  }

  #post(): void {
    const blockSize = this.#blockSize.value;
    if (blockSize === undefined || this.#unreadable().length > 0) {
      return;
    }
    const parameters: ScenarioParameters = { expression: this.#mask.value };
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

  /** The fields in sight whose text means nothing. */
  #unreadable(): readonly FormField[] {
    return this.#fields().filter((field) => !field.element.hidden && field.complaint !== undefined);
  }

  #fields(): readonly FormField[] {
    return [...this.#parameters.values(), this.#mask, this.#blockSize];
  }
}

function blockSizeQuestion(): NumberQuestion {
  return {
    title: t('Block size M'),
    description: t('Tokens that one call of the small transformer reads.'),
    minimum: 2,
    maximum: maximumTokens,
    default: defaultOptions.blockSize,
    slider: { minimum: 16, maximum: 8192 },
  };
}

/** Windows have a slider beside their field; sinks and seeds are small or arbitrary numbers. */
function questionOf(parameter: ScenarioParameter<ParameterName>): NumberQuestion {
  return parameter.name === 'window' ? { ...parameter, slider: { minimum: 8, maximum: 16_384 } } : parameter;
}

/** Every parameter that any scenario takes, once. */
function allParameters(): readonly ScenarioParameter<ParameterName>[] {
  const parameters = new Map<ParameterName, ScenarioParameter<ParameterName>>();
  for (const definition of choiceDefinitions) {
    for (const parameter of definition.parameters) {
      parameters.set(parameter.name, parameter);
    }
  }
  return [...parameters.values()];
}
