import type { Addition } from '../../support/house';

/** A dilated sliding window (Longformer, arXiv 2004.05150): every d-th of the tokens before a token, r of them, itself included. */
export const dilatedWindow: readonly Addition[] = [
  {
    file: 'src/core/scenario/dilated-window.ts',
    text: `import { InputError } from '../errors';
import { text } from '../l10n';
import type { ScenarioDefinition } from './definition';
import type { Range } from './mask';
import { windowParameter, windowTiles } from './sliding-window';

export interface DilatedWindowScenario {
  readonly kind: 'dilated-window';
  readonly window: number;
  readonly dilation: number;
}

export const dilatedWindow: ScenarioDefinition<DilatedWindowScenario> = {
  kind: 'dilated-window',
  title: text('Dilated window'),
  description: text('A token sees every d-th of the tokens before it, r of them, itself included.'),
  parameters: [
    windowParameter,
    {
      name: 'dilation',
      symbol: 'd',
      title: text('Dilation d'),
      description: text('Distance between the tokens that a token sees.'),
      minimum: 1,
      maximum: 100_000_000,
      default: 2,
    },
  ],
  mark: { colour: 'red', shape: 'star' },
  mask: ({ window, dilation }, tokens) => {
    const allows = (query: number, key: number): boolean =>
      key <= query && query - key < window * dilation && (query - key) % dilation === 0;
    const ranges = (query: number): readonly Range[] => {
      const keys: { from: number; to: number }[] = [];
      for (let key = 0; key <= query; key += 1) {
        const last = keys.at(-1);
        if (!allows(query, key)) {
          continue;
        }
        if (last?.to === key) {
          last.to = key + 1;
        } else {
          keys.push({ from: key, to: key + 1 });
        }
      }
      return keys;
    };
    return {
      allows,
      ranges,
      visiblePairs: () => {
        let pairs = 0;
        for (let query = 0; query < tokens; query += 1) {
          pairs += Math.min(window, Math.floor(query / dilation) + 1);
        }
        return pairs;
      },
      sight: (queries, keys) => {
        let seen = 0;
        for (let query = queries.from; query < queries.to; query += 1) {
          for (let key = keys.from; key < keys.to; key += 1) {
            seen += allows(query, key) ? 1 : 0;
          }
        }
        return seen === 0 ? 'none' : seen === (queries.to - queries.from) * (keys.to - keys.from) ? 'all' : 'some';
      },
    };
  },
  looksAhead: () => false,
  bound: ({ window, dilation }, blockSize, blocks) => ({
    theorem: 'Theorem 3.4, dilated window',
    formula: 'T * min(T, ceil((r * d - 1)/M) + 1)',
    tiles: blocks * windowTiles(window * dilation, blockSize, blocks),
  }),
  arrangement: (_scenario, { construction }) => {
    throw new InputError(\`Scenario "dilated-window" has no arrangement under construction \${construction}; use construction fused.\`);
  },
};
`,
  },
  {
    file: 'src/core/scenario/registry.ts',
    after: "import { slidingWindow } from './sliding-window';",
    text: "\nimport { dilatedWindow } from './dilated-window';",
  },
  { file: 'src/core/scenario/registry.ts', after: 'const definitions = [full, ', text: 'dilatedWindow, ' },
];

/** A member of the Llama family that always has biases on queries, keys and values. */
export const architecture: readonly Addition[] = [
  {
    file: 'src/engine/read/model/architectures/llama.ts',
    after: 'const members: Readonly<Record<string, Member>> = {',
    text: "\n  internlm: { name: 'InternLM', attentionBiases: true, attention: causal },",
  },
];

/** A model type that is planned only. */
export const plannedType: readonly Addition[] = [
  {
    file: 'src/engine/read/model/planning/model-types.ts',
    after: 'export const modelTypes: Readonly<Record<string, ModelType>> = {',
    text: "\n  arcee: { name: 'Arcee', windows: 'full', plain: true, has: '{0} has an activation of its own' },",
  },
];

/** A command of the command line. */
export const command: readonly Addition[] = [
  {
    file: 'src/cli/scenarios.ts',
    text: `import { choiceDefinitions } from '../core/scenario/scenario';
import type { Command } from './options';

export const scenariosCommand: Command = {
  usage: 'scenarios',
  description: 'list the scenarios',
  options: [],
  run: (_args, _flags, io) => {
    io.stdout.write(choiceDefinitions.map(({ kind }) => \`\${kind}\\n\`).join(''));
    return Promise.resolve();
  },
};
`,
  },
  {
    file: 'src/cli/program.ts',
    after: "import { runCommand, schemaCommand } from './run';",
    text: "\nimport { scenariosCommand } from './scenarios';",
  },
  { file: 'src/cli/program.ts', after: '  schemaCommand,', text: '\n  scenariosCommand,' },
];

/** A command of the palette. */
export const paletteCommand: readonly Addition[] = [
  {
    file: 'src/extension/commands.ts',
    after: "    openPanel: { title: text('Open Panel'), run: ({ targets }) => targets.panel.reveal() },",
    text: "\n    hideLog: { title: text('Hide Log'), icon: 'eye-closed', run: ({ targets }) => targets.log.hide() },",
  },
];

/** A section of the panel that shows a new fact of the snapshot: the size of the prompt in blocks. */
export const section: readonly Addition[] = [
  {
    file: 'webview/sections/blocks.ts',
    text: `import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText } from '../dom';
import type { Host } from '../host';
import { section, type View } from '../ui/section';

export class Blocks implements View {
  readonly element: HTMLElement;
  readonly #text = element('p', {});

  constructor(host: Host) {
    this.element = section(host, 'blocks', 'Blocks', this.#text);
  }

  update({ blockCount }: PanelSnapshot): void {
    setText(this.#text, String(blockCount));
  }
}
`,
  },
  {
    file: 'webview/lab/details.ts',
    after: "import { Costs } from '../sections/costs';",
    text: "\nimport { Blocks } from '../sections/blocks';",
  },
  { file: 'webview/lab/details.ts', after: '[new PlanFigures(host),', text: ' new Blocks(host),' },
  { file: 'src/protocol/panel.ts', after: 'export interface PanelSnapshot {', text: '\n  readonly blockCount: number;' },
];
