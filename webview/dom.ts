/** Attributes of an element; `false`, `null` and `undefined` omit the attribute, `true` sets it to the empty string. */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;
export type Child = Node | string;

/** Builds an element. Strings are inserted as text, never as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const built = document.createElement(tag);
  setAttributes(built, attributes);
  built.append(...children);
  return built;
}

/** Sets the attributes that differ; `false`, `null` and `undefined` remove one. */
export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) {
      target.removeAttribute(name);
      continue;
    }
    const text = value === true ? '' : String(value);
    if (target.getAttribute(name) !== text) {
      target.setAttribute(name, text);
    }
  }
}

/** Sets the text if it differs: an unchanged live region stays silent, and a selection in unchanged text survives. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

/** Shows or hides an element, for screen readers too. */
export function setVisible(target: HTMLElement, visible: boolean): void {
  if (target.hidden === visible) {
    target.hidden = !visible;
  }
}

let lastId = 0;

/** An id that is unique in the page, for labels and descriptions. */
export function freshId(name: string): string {
  lastId += 1;
  return `${name}-${lastId}`;
}
