import { vi } from 'vitest';

/** Stands for the look at what other programs do: beside the other tests, no two looks see the same. */
vi.mock(import('../../src/engine/load'), async (original) => ({
  ...(await original()),
  machineLoad: () => Promise.resolve({ cores: 2, others: 0 }),
}));
