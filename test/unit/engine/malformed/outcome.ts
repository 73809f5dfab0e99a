import { expect } from 'vitest';
import { outcomeOf } from '../../../support/mutate';

export { deepJson, nastyStrings, outcomeOf } from '../../../support/mutate';

/** The message with which a reader refuses; a test fails where it does not. */
export async function refusalOf(read: () => unknown): Promise<string> {
  const { refusal } = await outcomeOf(read);
  expect(refusal, 'should have been refused').toBeDefined();
  return refusal ?? '';
}
