/**
 * Functions that run inside VS Code's page (`page.evaluate` sends their source), so each is complete in itself.
 *
 * They read what a user sees. The few DOM types they need are declared here, not taken from TypeScript's `dom` library,
 * which one file of the program would bring to all of it.
 */

/** A rectangle of the page, in CSS pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface PageNode {
  readonly textContent: string | null;
}
interface PageElement extends PageNode {
  readonly className: string;
  readonly innerText: string;
  readonly offsetTop: number;
  readonly children: Iterable<PageElement>;
  closest(selector: string): PageElement | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getAttribute(name: string): string | null;
  getBoundingClientRect(): Box;
}
declare function getComputedStyle(element: PageElement, pseudo: string): { readonly content: string };
declare const document: {
  querySelectorAll(selector: string): Iterable<PageElement>;
  createTreeWalker(root: PageElement, whatToShow: number): { nextNode(): PageNode | null };
  createRange(): {
    setStart(node: PageNode, offset: number): void;
    setEnd(node: PageNode, offset: number): void;
    getBoundingClientRect(): Box;
  };
};

/**
 * The hints on screen, top to bottom, left to right: those in the text and those at the ends of lines, several of which on one
 * line have spaces between them. The parts of one in the text lie in neighbouring spans that VS Code gives a generated class;
 * neighbours are joined, so two hints that touch read as one.
 */
export function readHints(): string[] {
  const hints: string[] = [];
  const lines = [...document.querySelectorAll('.editor-instance .view-line')].sort(
    (a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y,
  );
  for (const line of lines) {
    const ends = [...line.querySelectorAll('span[class*="ced-"]')].map((span) => getComputedStyle(span, '::after').content);
    let hint = '';
    for (const span of [...line.querySelectorAll('span > span'), undefined]) {
      if (span?.className.includes('dyn-rule-') === true) {
        hint += span.textContent ?? '';
      } else if (hint !== '') {
        hints.push(hint.replaceAll('\u00a0', ' ').trim());
        hint = '';
      }
    }
    hints.push(
      ...ends
        .filter((content) => content.startsWith('"'))
        .flatMap((content) => content.slice(1, -1).replaceAll('\u00a0', ' ').split('   ')),
    );
  }
  return hints;
}

/** The code lenses on screen, top to bottom, left to right: the text of each link or label. */
export function readCodeLenses(): string[] {
  return [...document.querySelectorAll('.codelens-decoration')]
    .sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)
    .flatMap((row) => [...row.children].map((part) => (part.textContent ?? '').replaceAll('\u00a0', ' ').trim()))
    .filter((text) => text !== '' && text !== '|' && text !== 'no commands');
}

/** What the code lenses on screen tell, top to bottom, left to right: their texts, and the lines of their hovers. */
export function readCodeLensHovers(): string[] {
  return [...document.querySelectorAll('.codelens-decoration')]
    .sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)
    .flatMap((row) => [...row.children].map((part) => part.getAttribute('title') ?? ''))
    .flatMap((title) => title.split('\n\n'));
}

/** The labels of the status bar's items, left to right, without their icons. */
export function readStatusItems(): string[] {
  return [...document.querySelectorAll('.part.statusbar .statusbar-item')]
    .sort((a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x)
    .map((item) => item.innerText.replaceAll('\u00a0', ' ').trim())
    .filter((text) => text !== '');
}

/** Where the first occurrence of `text` on an editor line is, hints included; null when it is not on screen. */
export function locateInEditor(text: string): Box | null {
  const lines = [...document.querySelectorAll('.editor-instance .view-line')].sort(
    (a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y,
  );
  for (const line of lines) {
    for (const span of line.querySelectorAll('span[class*="ced-"]')) {
      if (getComputedStyle(span, '::after').content.includes(text)) {
        const { x, y, width, height } = span.getBoundingClientRect();
        return { x, y, width, height };
      }
    }
    const start = (line.textContent ?? '').replaceAll('\u00a0', ' ').indexOf(text);
    if (start < 0) {
      continue;
    }
    const range = document.createRange();
    const walker = document.createTreeWalker(line, 4 /* text nodes */);
    let passed = 0;
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const length = (node.textContent ?? '').length;
      if (start >= passed && start < passed + length) {
        range.setStart(node, start - passed);
      }
      if (start + text.length > passed && start + text.length <= passed + length) {
        range.setEnd(node, start + text.length - passed);
      }
      passed += length;
    }
    const { x, y, width, height } = range.getBoundingClientRect();
    return { x, y, width, height };
  }
  return null;
}

/** A place where a webview may lie: a view's pane or the active editor, with the title a user reads there. */
export interface WebviewPlace {
  readonly title: string;
  readonly box: Box;
}

/** Every visible view pane and every visible editor group's active tab. */
export function readWebviewPlaces(): WebviewPlace[] {
  const boxOf = (element: PageElement): Box => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  };
  const panes = [...document.querySelectorAll('.pane')].map((pane) => ({
    title: (pane.querySelector('.pane-header .title')?.textContent ?? '').trim(),
    box: boxOf(pane),
  }));
  const editors = [...document.querySelectorAll('.editor-group-container')].map((group) => ({
    title: (group.querySelector('.tab.active .label-name')?.textContent ?? '').trim(),
    box: boxOf(group),
  }));
  return [...panes, ...editors].filter(({ title, box }) => title !== '' && box.width > 0 && box.height > 0);
}
