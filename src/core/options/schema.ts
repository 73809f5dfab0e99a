import { t } from '../l10n';
import { kindsWith } from '../scenario/scenario';
import type { OptionValue } from './option';

/** The scenarios that take a parameter, in a sentence. */
export function under(name: string): string {
  return t(
    'Taken by {0}.',
    kindsWith(name)
      .map((kind) => `\`${kind}\``)
      .join(', '),
  );
}

/** An option's description, with the meaning of 0. */
export function describe({ description, value }: { readonly description: string; readonly value: OptionValue }): string {
  return value.type === 'whole' && value.zero !== undefined
    ? `${t(description)} ${t('{0}: {1}.', '`0`', t(value.zero.meaning))}`
    : t(description);
}

/** An option's value as JSON Schema. Words of the command line that stand for 0 are 0 here. */
export function schemaOf(value: OptionValue): Readonly<Record<string, unknown>> {
  switch (value.type) {
    case 'choice':
      return { type: 'string', enum: value.choices.map((choice) => choice.value) };
    case 'whole':
      return { type: 'integer', minimum: value.zero === undefined ? value.minimum : 0, maximum: value.maximum };
    case 'number':
      return { type: 'number', exclusiveMinimum: 0, maximum: value.maximum };
    case 'switch':
      return { type: 'boolean' };
    case 'text':
      return { type: 'string', ...(value.pattern !== undefined && { pattern: `^(?:${value.pattern})$` }) };
  }
}
