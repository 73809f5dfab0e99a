import * as z from 'zod';
import { InputError } from '../../../../core/errors';
import { described, shown } from '../../../../core/text/printable';
import { readFields } from '../architectures/fields';
import type { ConfigJson } from '../keys';

/** Reads fields of a configuration by any of their names, and keeps which keys it has read. */
export class FieldReader {
  private readonly taken = new Set<string>();

  /**
   * @param json the part of the configuration that describes the layers
   * @param defaults values of fields that are absent, as transformers has them
   * @param path named in errors
   */
  constructor(
    private readonly json: ConfigJson,
    private readonly defaults: ConfigJson,
    readonly path: string,
  ) {}

  /** The keys that were read. */
  get keys(): readonly string[] {
    return [...this.taken];
  }

  /** Whether the file itself has a field that is not null. */
  has(name: string): boolean {
    return Object.hasOwn(this.json, name) && this.json[name] !== null;
  }

  /**
   * A field under the first of its names that the file has, else by default; undefined if it is absent or null.
   *
   * Another of its names is read as well if it says the same.
   * @throws InputError for a value that the schema refuses
   */
  maybe<T>(schema: z.ZodType<T>, ...names: readonly string[]): T | undefined {
    const name = names.find((known) => this.has(known));
    if (name === undefined) {
      const known = names.find((own) => Object.hasOwn(this.defaults, own) && !Object.hasOwn(this.json, own));
      return known === undefined ? undefined : (this.defaults[known] as T);
    }
    for (const same of names.filter((other) => this.json[other] === this.json[name])) {
      this.taken.add(same);
    }
    return readFields(z.object({ [name]: schema }), this.json, this.path)[name];
  }

  /** A field that must be there. @throws InputError that names it */
  need<T>(schema: z.ZodType<T>, ...names: readonly string[]): T {
    const value = this.maybe(schema, ...names);
    if (value === undefined) {
      throw new InputError(`${this.path}: ${names[0]} is missing; restore the model's config.json.`);
    }
    return value;
  }

  /** A boolean field, or its default where it is absent or null. */
  flag(name: string, standard = false): boolean {
    const own = this.defaults[name];
    return this.maybe(z.boolean(), name) ?? (typeof own === 'boolean' ? own : standard);
  }

  /**
   * A list with an entry for each layer; undefined if it is absent or empty. Layers that predict further tokens may follow.
   *
   * @throws InputError if it has another length
   */
  perLayer<T>(schema: z.ZodType<T>, name: string, layers: number): readonly T[] | undefined {
    const list = this.maybe(z.array(schema).max(8192), name);
    const further = this.json.num_nextn_predict_layers;
    const most = layers + (typeof further === 'number' && further > 0 ? further : 0);
    if (list === undefined || list.length === 0) {
      return undefined;
    }
    if (list.length < layers || list.length > most) {
      throw new InputError(`${this.path}: ${name} has ${list.length} entries but the model has ${layers} layers; correct one of them.`);
    }
    return list.slice(0, layers);
  }

  /** Stops a plan at a field. @throws InputError that names the field, its value, and why */
  stop(name: string, why: string): never {
    throw new InputError(`${this.path}: ${shown(name)} ${described(this.json[name])}: ${why}; use another model.`);
  }
}
