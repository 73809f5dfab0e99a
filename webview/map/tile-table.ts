import { formatCount } from '../../src/core/format';
import type { Plan } from '../../src/core/plan/plan';
import { queryBlockAt } from '../../src/core/plan/query-blocks';
import type { TileRun } from '../../src/core/plan/tiles';
import type { Host } from '../host';
import { t } from '../l10n';
import { dataBehind } from '../ui/section';
import { count, words } from '../ui/shown';
import { DataTable, type Row } from '../ui/tables';
import { tokenRange } from './wording';

/** Most query blocks listed in full; for longer prompts, the number listed at either end. */
const listedInFull = 200;
const listedAtEachEnd = 100;

/** The tile map as a table: the runs of every query block. It is filled only while open. */
export class TileTable {
  readonly #table = new DataTable(t('Key blocks that each query block reads'), [
    { title: t('Query block') },
    { title: t('Tokens') },
    { title: t('Key blocks read') },
    { title: t('Tiles'), numeric: true },
  ]);
  readonly element: HTMLDetailsElement;
  #plan: Plan | null = null;
  #filled: Plan | null = null;

  constructor(host: Host) {
    this.element = dataBehind(host, 'tiles', t('Tiles as a table'), this.#table.element);
    this.element.addEventListener('toggle', () => this.#fill());
  }

  /** Switches to another plan. */
  show(plan: Plan): void {
    this.#plan = plan;
    this.#fill();
  }

  #fill(): void {
    if (this.element.open && this.#plan !== null && this.#filled !== this.#plan) {
      this.#table.update(rowsOf(this.#plan));
      this.#filled = this.#plan;
    }
  }
}

function rowsOf(plan: Plan): readonly Row[] {
  // Rows are reused between plans: a former gap row must not stay one.
  return listed(plan).map((row) => ({ attributes: { class: null }, ...row }));
}

function listed(plan: Plan): readonly Row[] {
  if (plan.blocks <= listedInFull) {
    return Array.from({ length: plan.blocks }, (_row, block) => rowOf(plan, block));
  }
  const head = Array.from({ length: listedAtEachEnd }, (_row, index) => rowOf(plan, index));
  const tail = Array.from({ length: listedAtEachEnd }, (_row, index) => rowOf(plan, plan.blocks - listedAtEachEnd + index));
  const leftOut = t('{0} query blocks left out', formatCount(plan.blocks - 2 * listedAtEachEnd));
  const gap = { cells: [words('…'), words(''), words(leftOut), words('')], attributes: { class: 'gap' } };
  return [...head, gap, ...tail];
}

function rowOf(plan: Plan, block: number): Row {
  const { runs, tiles, instances } = queryBlockAt(plan.queryBlocks, block);
  const read = runs.some(({ kind }) => kind === 'chosen') ? instances : tiles;
  return {
    cells: [count(block + 1), words(tokenRange(plan, block)), words(runs.map(runText).join(', ')), count(read)],
  };
}

function runText({ from, to, kind }: TileRun): string {
  if (kind === 'sampled') {
    return t('one random block (sampled)');
  }
  const blocks = to === from + 1 ? formatCount(to) : `${formatCount(from + 1)}–${formatCount(to)}`;
  if (kind === 'chosen') {
    return t('some of {0} (chosen in the run)', blocks);
  }
  return kind === 'full' ? t('{0} (full)', blocks) : t('{0} (partial)', blocks);
}
