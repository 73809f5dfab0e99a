import * as vscode from 'vscode';
import { formatBytes, formatCount } from '../../core/format';
import { messageShown, t } from '../../core/l10n';
import { shown } from '../../core/text/printable';
import type { ListedModel, ModelUse } from '../../engine/read/model/found/list';
import type { Planner } from '../prompts/planner';
import { engineSettings, setModel } from '../settings';
import { withoutIcons } from './part-picker';
import { showWarning } from '../notify';

/** An entry of the list: a model, or a separator. */
interface ModelItem extends vscode.QuickPickItem {
  readonly model?: ListedModel;
}

/** Asks for one of the models on this machine, and sets `twoHeads.model` to it. */
export async function chooseModel(planner: Planner): Promise<void> {
  const models = await planner.models();
  const { model: current } = engineSettings();
  const chosen = await vscode.window.showQuickPick(itemsOf(models, current), {
    title: t('Choose a Model'),
    placeHolder: t('Which model is planned and run?'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen?.model === undefined) {
    return;
  }
  const { name, use, reason } = chosen.model;
  if (use === 'refused') {
    void showWarning(t('Two Heads: {0} cannot be planned: {1}', shown(name, 100), messageShown(reason ?? '')));
    return;
  }
  await setModel(name);
}

/** Models under a heading for each use, those that run first. */
function itemsOf(models: readonly ListedModel[], current: string): ModelItem[] {
  const headings: readonly (readonly [ModelUse, string])[] = [
    ['runs', t('run')],
    ['plans', t('planned only')],
    ['refused', t('cannot be planned')],
  ];
  return headings.flatMap(([use, label]) => {
    const own = models.filter((model) => model.use === use);
    return own.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...own.map((model) => itemOf(model, current))];
  });
}

function itemOf(model: ListedModel, current: string): ModelItem {
  const { name, bytes, format, modelType, trainedTokens, reason } = model;
  const facts = [
    ...(name === current ? [t('current')] : []),
    ...(modelType === null ? [] : [shown(modelType)]),
    ...(format === null ? [] : [shown(format)]),
    ...(bytes === null ? [] : [formatBytes(bytes)]),
    ...(trainedTokens === null ? [] : [t('trained on {0} tokens', formatCount(trainedTokens))]),
  ];
  return {
    label: withoutIcons(shown(name, 100)),
    description: withoutIcons(facts.join(' · ')),
    ...(reason !== null && { detail: withoutIcons(shown(messageShown(reason), 300)) }),
    model,
  };
}
