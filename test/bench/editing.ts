import type * as vscode from 'vscode';
import { costHeat } from '../../src/core/hints/heat';
import { blockArithmetic, blockCost, blockLabel, planArithmetic, planHeadline, planStatus } from '../../src/core/hints/hints';
import { rangeCost, sectionArithmetic, sectionLabel } from '../../src/core/hints/sections';
import { lastAtMost } from '../../src/core/math/search';
import { defaultOptions, type SimulationOptions } from '../../src/core/options/table';
import { followedBy } from '../../src/core/text/edits';
import type { PlannerClient } from '../../src/engine/process/planner-client';
import { blockOffset, blocksIn, mostHints, type Planned } from '../../src/extension/editor/places';
import { SentPrompt } from '../../src/extension/prompts/sent-prompt';

/** Characters of the part of a prompt of which hints are drawn: some 50 lines that an editor shows, and 60 on either side. */
const visibleCharacters = 14_000;

/** What is typed: letters above all, a line break, deletions, a paragraph and a page that are pasted. */
const edits = [
  ...['a', 'e', ' ', 't', '\n'].map((inserted) => ({ removed: 0, inserted })),
  { removed: 1, inserted: '' },
  { removed: 2000, inserted: '' },
  { removed: 0, inserted: 'A paragraph that is pasted.\nIt has two lines, and more words than one would type.\n' },
  { removed: 30, inserted: '一页粘贴的文字。'.repeat(300) },
];

/** A large Markdown prompt that is open and edited: the editor's side of planning, as far as it needs no editor. */
export class EditedPrompt {
  private version = 1;
  private units: number;
  private readonly sent: SentPrompt;
  private planned: Planned | undefined;

  /** @param next numbers from 0 to below 1 */
  constructor(
    text: string,
    private readonly client: PlannerClient,
    private readonly options: Pick<SimulationOptions, 'model' | 'blockSize'>,
    private readonly next: () => number,
  ) {
    this.units = text.length;
    // An editor keeps lines, and joins them where the whole text is asked for: once, when it is opened.
    const lines = text.split('\n');
    const currentVersion = (): number => this.version;
    this.sent = new SentPrompt(
      {
        uri: { toString: () => 'bench' },
        languageId: 'markdown',
        get version() {
          return currentVersion();
        },
        getText: () => lines.join('\n'),
      } as unknown as vscode.TextDocument,
      undefined,
    );
  }

  /** N. */
  get tokens(): number {
    return this.planned?.plan.tokens ?? 0;
  }

  /** Edits at a random place, and draws at once what moved. */
  edit(): void {
    const { inserted, removed: most } = edits[Math.floor(this.next() * edits.length)];
    const offset = Math.floor(this.next() * this.units);
    const removed = Math.min(most, this.units - offset);
    this.units += inserted.length - removed;
    this.version += 1;
    this.sent.changed([{ rangeOffset: offset, rangeLength: removed, text: inserted }] as vscode.TextDocumentContentChangeEvent[]);
    if (this.planned !== undefined) {
      this.planned = { ...this.planned, edits: followedBy(this.planned.edits, [{ offset, removed, inserted: inserted.length }]) };
      this.draw(this.planned);
    }
  }

  /** Plans what is there now and draws it. @returns milliseconds */
  async plan(): Promise<number> {
    const start = performance.now();
    const request = { ...this.sent.take(), options: { ...defaultOptions, ...this.options }, candidates: [] };
    const result = await this.client.call('plan', request);
    if (result === 'unknown') {
      throw new Error('The planning thread lost the text.');
    }
    this.planned = { ...this.sent.placed(result), version: this.version, edits: [], error: null };
    this.draw(this.planned);
    return performance.now() - start;
  }

  /** Lens, status, hints of what is seen, and the panel's message, all in one turn: the editor asks for them one by one. */
  private draw(planned: Planned): number {
    const { plan, memory, prediction, cache, sections, places } = planned;
    const from = Math.floor(this.next() * Math.max(1, this.units - visibleCharacters));
    const seen = { from, to: from + visibleCharacters };
    const shown = [planHeadline(plan), planStatus(plan), planArithmetic(plan, cache, memory)];
    const { first, last } = blocksIn(planned, seen);
    for (let block = first; block <= Math.min(last, first + mostHints - 1); block += 1) {
      shown.push(`${blockOffset(planned, block)} ${blockLabel(blockCost(plan, block), prediction)}`, blockArithmetic(plan, block));
    }
    for (let index = lastAtMost(sections.from, sections.from.length, from); sections.from[index] <= seen.to; index += 1) {
      const cost = rangeCost(plan, places.firstTokenFrom(sections.from[index]), places.firstTokenFrom(sections.end[index]));
      shown.push(sectionLabel(cost, prediction), sectionArithmetic(plan, cost));
    }
    shown.push(...costHeat(plan).map(({ from: first, to }) => `${places.offsetOf(first)} ${places.offsetOf(to)}`));
    // As VS Code writes a message to a page: typed arrays go beside the text.
    shown.push(JSON.stringify({ plan, prediction }, (_key, value: unknown) => (ArrayBuffer.isView(value) ? value.byteLength : value)));
    return shown.reduce((length, text) => length + text.length, 0);
  }
}
