// Custom elements need the casts below: `createElement` returns the class registered under that name.
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeRadio,
  vsCodeRadioGroup,
  vsCodeTextField,
  type Button,
  type Dropdown,
  type Option,
  type Radio,
  type RadioGroup,
  type TextField,
} from '@vscode/webview-ui-toolkit';
import { setAttributes, type Attributes } from '../dom';

export type { Button, Dropdown, TextField };

/**
 * Registers the toolkit's components that the page uses.
 *
 * The toolkit is no longer maintained: only this module imports it, so that it can be replaced here.
 */
export function registerComponents(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeRadio(),
    vsCodeRadioGroup(),
    vsCodeTextField(),
  );
}

/** A button; `primary` for the one main action of a form. */
export function button(label: string, appearance: 'primary' | 'secondary', attributes: Attributes, onPress: () => void): Button {
  const built = document.createElement('vscode-button') as Button;
  setAttributes(built, { appearance, ...attributes });
  built.textContent = label;
  built.addEventListener('click', () => {
    if (!built.disabled) {
      onPress();
    }
  });
  return built;
}

/** One entry of a dropdown. */
interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A dropdown; `onChoose` is called only for the user's choices. */
export function dropdown(choices: readonly Choice[], attributes: Attributes, onChoose: (value: string) => void): Dropdown {
  const built = document.createElement('vscode-dropdown') as Dropdown;
  setAttributes(built, attributes);
  for (const { value, label } of choices) {
    const option = document.createElement('vscode-option') as Option;
    option.setAttribute('value', value);
    option.textContent = label;
    built.append(option);
  }
  built.addEventListener('change', () => onChoose(built.value));
  return built;
}

/** Selects an entry from code; the options exist only once the dropdown is in the page. */
export function setChoice(target: Dropdown, value: string): void {
  if (target.value !== value) {
    target.value = value;
  }
}

/** Radio buttons side by side; `onChoose` is called only for the user's choices. */
export function radioGroup(
  label: string,
  choices: readonly Choice[],
  chosen: string,
  attributes: Attributes,
  onChoose: (value: string) => void,
): HTMLElement {
  const built = document.createElement('vscode-radio-group') as RadioGroup;
  setAttributes(built, { 'aria-label': label, orientation: 'horizontal', value: chosen, ...attributes });
  for (const { value, label: title } of choices) {
    const radio = document.createElement('vscode-radio') as Radio;
    setAttributes(radio, { value });
    radio.textContent = title;
    built.append(radio);
  }
  let last = chosen;
  built.addEventListener('change', () => {
    // The component also reports values set from code.
    if (built.value !== last) {
      last = built.value;
      onChoose(last);
    }
  });
  return built;
}

/** A one-line field. `onInput` is called at every keystroke, `onCommit` on Enter and when the field loses the focus. */
export function textField(attributes: Attributes, onInput: () => void, onCommit: () => void): TextField {
  const built = document.createElement('vscode-text-field') as TextField;
  setAttributes(built, attributes);
  built.addEventListener('input', onInput);
  built.addEventListener('change', onCommit);
  return built;
}

/** Marks a refused value, visually and for screen readers. */
export function setFieldInvalid(target: TextField, invalid: boolean): void {
  setAttributes(target, { 'aria-invalid': invalid ? 'true' : false });
}
