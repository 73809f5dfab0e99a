import type { OptionTable, ValuesOf } from '../../../core/options/option';
import { maximumTokens } from '../../../core/plan/partition';

/** Every option of an export besides those of its plan. */
export const exportTable = {
  tokens: {
    flag: 'tokens',
    symbol: 'N',
    description: 'Tokens of the sequence that the graph is for.',
    value: { type: 'whole', minimum: 1, maximum: maximumTokens },
    required: true,
  },
  part: {
    flag: 'part',
    symbol: 'name',
    description: 'What to export.',
    value: {
      type: 'choice',
      noun: 'Part',
      choices: [
        { value: 'attention', description: "One layer's attention calls, without weights." },
        { value: 'model', description: 'The whole model with its weights.' },
      ],
    },
    default: 'attention',
  },
  check: {
    flag: 'check',
    description:
      'Also read the file with ONNX Runtime, compare it with float64, and write inputs and expected outputs to out.onnx.check.json.',
    value: { type: 'switch' },
    default: false,
  },
} as const satisfies OptionTable;

/** What can be exported. */
export type ExportPart = ValuesOf<typeof exportTable>['part'];
