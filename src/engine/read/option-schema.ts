import { z } from 'zod';
import type { ListValue, Option, OptionTable, OptionValue, ValueOf } from '../../core/options/option';

/**
 * The schema of an option's value in JSON, with its limits, words, default and description. As in settings, 0 stands for
 * what the command line has a word for.
 */
export function schemaOf<O extends Option>(option: O): z.ZodType<ValueOf<O>> {
  const schema = valueSchema(option.value);
  const described = (option.default === undefined ? schema : schema.default(option.default)).describe(plain(option));
  return described as z.ZodType<ValueOf<O>>;
}

/** The schemas of a table's options, by name: the fields of an object of them. */
export function fieldsOf<T extends OptionTable>(table: T): { readonly [Name in keyof T]: z.ZodType<ValueOf<T[Name]>> } {
  const fields = Object.entries(table).map(([name, option]) => [name, schemaOf(option)]);
  return Object.fromEntries(fields) as { readonly [Name in keyof T]: z.ZodType<ValueOf<T[Name]>> };
}

function valueSchema(value: OptionValue | ListValue): z.ZodType {
  switch (value.type) {
    case 'list':
      return z.array(valueSchema(value.of)).min(1);
    case 'choice':
      return z.enum(value.choices.map((choice) => choice.value));
    case 'whole': {
      const scale = value.scale ?? 1;
      return z
        .int()
        .min(value.zero === undefined ? value.minimum * scale : 0)
        .max(value.maximum * scale);
    }
    case 'number': {
      const number = z.number().max(value.maximum);
      return value.zero === undefined && value.minimum === undefined ? number.positive() : number.min(value.minimum ?? 0);
    }
    case 'switch':
      return z.boolean();
    case 'text':
      return z.string().min(1);
  }
}

/** The description as an editor shows it: without the marks of code, and with what 0 stands for. */
function plain({ description, value }: Option): string {
  const zero = 'zero' in value ? value.zero : undefined;
  return `${description.replaceAll('`', '')}${zero === undefined ? '' : ` 0: ${zero.meaning}.`}`;
}
