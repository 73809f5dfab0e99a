import { expect, it } from 'vitest';
import { showError, showInformation, showWarning } from '../../../src/extension/notify';
import { textsOf } from '../../support/workbench/dialogs';

it('a notification has no link of what a file says', () => {
  const named = '[Retry](command:workbench.action.quit) and [x](https://elsewhere)';
  void showError(named);
  void showWarning(named);
  void showInformation(named, 'OK');
  for (const kind of ['error', 'warning', 'information'] as const) {
    expect(textsOf(kind)).toEqual(['[Retry] (command:workbench.action.quit) and [x] (https://elsewhere)']);
  }
});
