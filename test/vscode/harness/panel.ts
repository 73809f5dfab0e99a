import type { Frame, Locator } from 'playwright-core';
import { eventuallyText, until } from './wait';

/** How a part of a page is found: by what it is called for tests. */
export function at(testId: string): string {
  return `[data-testid="${testId}"]`;
}

/** The page of the panel of Two Heads. It is gone once the view is hidden or VS Code reloads: ask for it again then. */
export class Panel {
  constructor(readonly frame: Frame) {}

  /** The first part of this name. */
  part(testId: string): Locator {
    return this.frame.locator(at(testId)).first();
  }

  /** Waits until the text of a part matches, and returns it. */
  text(testId: string, wanted: RegExp | string): Promise<string> {
    return eventuallyText(testId, async () => [await this.part(testId).innerText()], wanted);
  }

  /** Waits until a figure is on screen, and returns the raw number behind it. */
  async figure(testId: string): Promise<number> {
    await this.part(testId).waitFor({ state: 'visible' });
    return Number(await this.part(testId).getAttribute('data-value'));
  }

  /** The raw numbers behind all that this selector finds. */
  figures(selector: string): Promise<number[]> {
    return this.frame
      .locator(selector)
      .evaluateAll((nodes) => nodes.map((node) => Number((node as unknown as { dataset: { value?: string } }).dataset.value)));
  }

  /** Waits until what a chart or the map says of itself to those who do not see it matches, and returns that. */
  said(testId: string, wanted: RegExp | string): Promise<string> {
    return eventuallyText(testId, async () => [(await this.part(testId).getAttribute('aria-label')) ?? ''], wanted);
  }

  /** Scrolls the start of a part to the start of the page. */
  async scrollTo(testId: string): Promise<void> {
    await this.part(testId).evaluate((node) => (node as unknown as { scrollIntoView(): void }).scrollIntoView());
  }

  /** The open sections that are taller than the page, with their heights in CSS pixels. */
  tallSections(): Promise<readonly string[]> {
    return this.frame.evaluate<string[]>(
      `[...document.querySelectorAll('details.section[open]')].map((section) => [section.dataset.testid, section.getBoundingClientRect().height])
        .filter(([, height]) => height > innerHeight).map(([name, height]) => name + ' ' + Math.round(height))`,
    );
  }

  /** Chooses one of a group of radio buttons, and waits until the page has it. */
  async chooseRadio(group: string, value: string): Promise<void> {
    const radio = this.frame.locator(`${at(group)} vscode-radio[value="${value}"]`);
    await radio.click();
    await until(
      `'${value}' to be chosen`,
      () => radio.getAttribute('aria-checked'),
      (checked) => checked === 'true',
    );
  }
}
