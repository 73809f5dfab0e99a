import * as z from 'zod';
import { said } from '../../core/l10n';
import { type ListValue, type Option, type OptionTable, type OptionValue, type ValueOf, zeroOf } from '../../core/options/option';

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
      const [minimum, maximum] = [value.minimum, value.maximum].map((limit) => limit * (value.scale ?? 1));
      return value.zero === undefined
        ? z.int().min(minimum).max(maximum)
        : z
            .int()
            .min(0)
            .max(maximum)
            .refine((given) => given === 0 || given >= minimum, said`must be 0 or at least ${minimum}`);
    }
    case 'number': {
      const number = z.number().max(value.maximum);
      return value.zero === undefined && value.minimum === undefined ? number.positive() : number.min(value.minimum ?? 0);
    }
    case 'switch':
      return z.boolean();
    case 'text':
      return value.pattern === undefined
        ? z.string().min(1)
        : z.string().regex(new RegExp(`^(?:${value.pattern})$`), said`must be ${value.form ?? 'another text'}`);
  }
}

/** The description as an editor shows it: without the marks of code, and with what 0 stands for. */
function plain(option: Option): string {
  const zero = zeroOf(option);
  return `${option.description.replaceAll('`', '')}${zero === undefined ? '' : ` 0: ${zero.meaning}.`}`;
}
