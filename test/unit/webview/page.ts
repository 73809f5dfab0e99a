import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chart } from 'chart.js';
import { vi } from 'vitest';
import { setTranslations } from '../../../src/core/l10n';
import type { PageMessage } from '../../../src/protocol/panel';
import { Host } from '../../../webview/host';
import { ThemeWatcher } from '../../../webview/theme';
import { registerComponents } from '../../../webview/ui/toolkit';
import { root } from '../../support/paths';
import { Pen } from './pen';

/**
 * The side panel's page in happy-dom: what VS Code and a browser give it, and how a test looks at it and uses it.
 *
 * Importing this module makes time stand still: timers and frames come when a test lets them (`frame`, `vi.advanceTimersByTime`).
 */

vi.useFakeTimers();
shimToolkit();
registerComponents();
shimLayout();
shimElements();

/** What happy-dom lacks, or has in another form, of what `@vscode/webview-ui-toolkit` needs. */
function shimToolkit(): void {
  // Vitest's global `Document` is not the class that happy-dom's document is of: the toolkit asks which roots are documents.
  Object.defineProperty(Document, Symbol.hasInstance, { value: (node: Node | null) => node?.nodeType === 9 });
  // happy-dom looks for the data list that the toolkit's template has not named yet, and throws. The page has none.
  Object.defineProperty(HTMLInputElement.prototype, 'list', { get: () => null });
  // The constructor of options, which happy-dom has not.
  vi.stubGlobal('Option', function (text = '', value = '', chosenAtFirst = false, selected = chosenAtFirst) {
    const option = document.createElement('option');
    Object.assign(option, { textContent: text, value, selected });
    return option;
  });
  // happy-dom's list of options cannot be emptied by its length.
  Object.defineProperty(HTMLSelectElement.prototype, 'options', {
    get(this: HTMLSelectElement) {
      const options = [...this.children];
      return Object.assign(options, {
        item: (index: number) => options[index] ?? null,
        add: (option: Node) => this.append(option),
      });
    },
  });
}

/** Size in CSS pixels that every element has: happy-dom lays nothing out, and a map or a chart without room draws nothing. */
export const room = { width: 400, height: 300 };

/** Of the elements that the page uses, what happy-dom has not got. */
function shimElements(): void {
  // Bodies and rows of tables are elements like any other there.
  Object.defineProperties(HTMLElement.prototype, {
    rows: {
      get(this: HTMLElement) {
        return [...this.children].filter(({ tagName }) => tagName === 'TR');
      },
    },
    cells: {
      get(this: HTMLElement) {
        return [...this.children];
      },
    },
    deleteRow: {
      value(this: HTMLElement, index: number) {
        [...this.children].at(index)?.remove();
      },
    },
  });
}

const pens = new WeakMap<HTMLCanvasElement, Pen>();

function shimLayout(): void {
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { get: () => room.width, configurable: true });
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { get: () => room.height, configurable: true });
  HTMLElement.prototype.getBoundingClientRect = () => new DOMRect(0, 0, room.width, room.height);
  HTMLElement.prototype.setPointerCapture = () => undefined;
  HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement) {
    return penOf(this) as never;
  };
}

/** What was drawn on a canvas. */
export function penOf(canvas: HTMLElement): Pen {
  const known = pens.get(canvas as HTMLCanvasElement) ?? new Pen(canvas as HTMLCanvasElement);
  pens.set(canvas as HTMLCanvasElement, known);
  return known;
}

/** A page with nothing on it yet. */
export interface Page {
  readonly host: Host;
  readonly theme: ThemeWatcher;
  /** What the page asked of the host, the first first. */
  readonly posted: PageMessage[];
  /** The view state that VS Code keeps for the page. */
  readonly kept: { state: unknown };
}

/** The theme's variables, as VS Code sets them: those that the page draws with, in colours that can be told apart. */
const variables: Readonly<Record<string, string>> = {
  foreground: '#010101',
  descriptionForeground: '#020202',
  'sideBar-background': '#030303',
  'charts-lines': '#040404',
  'panel-border': '#050505',
  focusBorder: '#060606',
  'editorHoverWidget-background': '#070707',
  'editorHoverWidget-foreground': '#080808',
  'editorHoverWidget-border': '#090909',
  'font-family': 'Test Sans',
  'font-size': '15px',
  'charts-blue': '#0000f0',
  'charts-orange': '#f08000',
  'charts-purple': '#8000f0',
  'charts-green': '#00f000',
  'charts-red': '#f00000',
  'charts-yellow': '#f0f000',
};

/** Changes variables of the theme, as another theme does. */
export function setTheme(changes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(changes)) {
    // Set again, even to the same value, it would have the parts of all earlier tests drawn again.
    if (document.body.style.getPropertyValue(`--vscode-${name}`) !== value) {
      // VS Code sets it on the root element alone, which the page watches; happy-dom's body does not inherit it.
      document.body.style.setProperty(`--vscode-${name}`, value);
      document.documentElement.style.setProperty(`--vscode-${name}`, value);
    }
  }
}

/** An empty page. @param state what VS Code has kept of an earlier one */
export function newPage(state?: unknown): Page {
  document.body.replaceChildren();
  document.body.classList.remove('vscode-reduce-motion');
  setTranslations({});
  setTheme(variables);
  const posted: PageMessage[] = [];
  const kept = { state };
  vi.stubGlobal('acquireVsCodeApi', () => ({
    postMessage: (message: PageMessage) => posted.push(message),
    getState: () => kept.state,
    setState: (next: unknown) => (kept.state = next),
  }));
  return { host: new Host(), theme: new ThemeWatcher(), posted, kept };
}

/** Puts a part into the page, as it would be, and lets its components come up. */
export function put<View extends { readonly element: HTMLElement }>(view: View): View {
  document.body.append(view.element);
  frame();
  return view;
}

/** Lets the next frame come: the toolkit's components and the map draw in frames. */
export function frame(): void {
  vi.advanceTimersByTime(20);
}

/** Lets what was promised come: observers, images. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(20);
}

/** From here on texts are German, up to the next `newPage`. */
export function inGerman(): void {
  setTranslations(JSON.parse(readFileSync(join(root, 'l10n', 'bundle.l10n.de.json'), 'utf8')));
}

/** The element with a `data-testid`. */
export function find(id: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (found === null) {
    throw new Error(`The page has no ${id}.`);
  }
  return found;
}

/** The text of an element with a `data-testid`, white space as a reader sees it. */
export function textOf(id: string): string {
  return readable(find(id));
}

/** An element's text, white space as a reader sees it. */
export function readable(target: Element): string {
  return (target.textContent || '').replaceAll(/[ \n]+/g, ' ').trim();
}

/** Whether an element can be seen: neither it nor anything around it is hidden. */
export function isShown(target: string | Element): boolean {
  const element = typeof target === 'string' ? find(target) : target;
  return element.isConnected && element.closest('[hidden]') === null;
}

/** The rows of a table as texts, its head first. */
export function tableOf(target: string | Element): string[][] {
  const table = typeof target === 'string' ? find(target) : target;
  return [...table.querySelectorAll('tr')].map((row) => [...row.children].map(readable));
}

/** The named values of a list of figures that can be seen, by their labels. */
export function figuresOf(container: Element): Record<string, string> {
  const groups = [...container.querySelectorAll('dl.figures > div')].filter(isShown);
  return Object.fromEntries(groups.map(({ children: [label, value] }) => [readable(label), readable(value)]));
}

/** The entries of the legend in an element. */
export function legendOf(container: Element): string[] {
  return [...container.querySelectorAll('.legend > li')].filter(isShown).map(readable);
}

/** The chart on the canvas with a `data-testid`. */
export function chartOf(id: string): Chart {
  const chart = Chart.getChart(find(id) as HTMLCanvasElement);
  if (chart === undefined) {
    throw new Error(`Nothing was drawn on ${id}.`);
  }
  return chart;
}

/** The values of each series of a chart, by its label. */
export function seriesOf(id: string): Record<string, unknown> {
  return Object.fromEntries(chartOf(id).data.datasets.map(({ label, data }) => [label ?? '', data]));
}

/** What the tooltip of a chart says: its title, and a line for each point. */
export function tooltipOf(id: string): { readonly title: readonly string[]; readonly lines: readonly string[] } {
  const { tooltip } = chartOf(id);
  if (tooltip === undefined || tooltip.getActiveElements().length === 0) {
    return { title: [], lines: [] };
  }
  return { title: tooltip.title, lines: tooltip.body.flatMap(({ lines }) => lines) };
}

/** Points at places of a chart's series. */
export function pointAt(id: string, ...points: { readonly datasetIndex: number; readonly index: number }[]): void {
  chartOf(id).tooltip?.setActiveElements(points, { x: 0, y: 0 });
  chartOf(id).update('none');
}

/** Presses a key. @returns whether the page kept it from the browser */
export function press(target: Element, key: string, more: KeyboardEventInit = {}): boolean {
  return !target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true, ...more }));
}

/** A press of a button, by the pointer or the keyboard: the focus is on it first, and a disabled one does not hear it. */
export function pressButton(id: string): void {
  const button = find(id);
  button.focus();
  button.click();
  frame();
}

/** The field of a form inside a component of the toolkit, or the one itself. */
function inputOf(id: string): HTMLInputElement {
  const field = find(id);
  return field.shadowRoot?.querySelector('input') ?? (field as HTMLInputElement);
}

/** What stands in a field; a component of the toolkit has it there at the next frame. */
export function valueOf(id: string): string {
  frame();
  return inputOf(id).value;
}

/** Types a text into a field, in place of what is in it: each key is heard, and the focus stays. */
export function type(id: string, text: string): void {
  find(id).focus();
  const input = inputOf(id);
  input.value = text;
  input.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
}

/** Enter in a field, or leaving it: what was typed holds. */
export function commit(id: string): void {
  inputOf(id).dispatchEvent(new Event('change', { bubbles: true }));
}

/** Takes the focus out of a field, as Tab does. */
export function leave(id: string): void {
  find(id).blur();
  commit(id);
  frame();
}

/** Chooses an entry of a dropdown, as a click on it does. */
export function choose(id: string, label: string): void {
  const dropdown = find(id);
  dropdown.click();
  frame();
  optionOf(dropdown, 'option', label).click();
  frame();
}

/** Chooses one of several choices side by side. */
export function chooseRadio(id: string, label: string): void {
  optionOf(find(id), 'radio', label).click();
  frame();
}

function optionOf(container: Element, role: string, label: string): HTMLElement {
  const option = [...container.querySelectorAll<HTMLElement>(`[role="${role}"]`)].find((each) => readable(each) === label);
  if (option === undefined) {
    throw new Error(`There is no ${label} to choose.`);
  }
  return option;
}

/** Opens or closes a part of the page by its heading. */
export function fold(id: string, open: boolean): void {
  (find(id) as HTMLDetailsElement).open = open;
  frame();
}
