/**
 * VS Code carries messages to a page as JSON, in which a number that is not finite would become null: it goes as an object of
 * this one key.
 */
const key = 'notFinite';

/** A message with its numbers that are not finite marked; what has none is the same object. */
export function withMarkedNumbers(value: unknown): unknown {
  return mapped(value, (each) => (typeof each === 'number' && !Number.isFinite(each) ? { [key]: String(each) } : each));
}

/** The message that `withMarkedNumbers` was given. */
export function withNumbers(value: unknown): unknown {
  return mapped(value, (each) => {
    const marked = typeof each === 'object' && each !== null && key in each ? each[key] : undefined;
    return typeof marked === 'string' ? Number(marked) : each;
  });
}

/** Plain data with each of its values replaced; parts in which nothing is replaced are the same objects. */
function mapped(value: unknown, replace: (value: unknown) => unknown): unknown {
  const replaced = replace(value);
  if (replaced !== value || typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
    return replaced;
  }
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => mapped(item, replace));
    return items.every((item, index) => Object.is(item, value[index])) ? value : items;
  }
  const entries = Object.entries(value).map(([name, item]) => [name, mapped(item, replace)] as const);
  const fields = value as Readonly<Record<string, unknown>>;
  return entries.every(([name, item]) => Object.is(item, fields[name])) ? value : Object.fromEntries(entries);
}
