import { formatCount, formatDuration, formatNumberOf } from '../../core/format';
import { t } from '../../core/l10n';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { PlanDocument } from '../../core/report/report';

/** What a user is asked before a run, and what is shown while it is on. */
export interface Confirmation {
  readonly title: string;
  readonly message: string;
  readonly progress: string;
}

/** Before a prompt is planned. @param name of the file or the text @param characters of it */
export function planConfirmation(name: string, characters: number): Confirmation {
  return {
    title: t('Plan {0}?', name),
    message: t(
      'Two Heads counts what {0} ({1}) costs. Nothing is run; the chat gets the numbers, not the text.',
      name,
      formatNumberOf(characters, 'character'),
    ),
    progress: t('Planning {0}', name),
  };
}

/** Before a prompt is run. @param plans of its scenarios, at least one */
export function runConfirmation(plans: readonly PlanDocument[]): Confirmation {
  const [
    {
      prompt: { path },
    },
  ] = plans;
  const texts =
    plans.length > 1
      ? { title: t('Compare {0} scenarios on {1}?', plans.length, path), progress: t('Comparing {0} scenarios on {1}', plans.length, path) }
      : { title: t('Simulate {0}?', path), progress: t('Simulating {0} under {1}', path, scenarioLabel(plans[0].scenario)) };
  return { ...texts, message: `${runMessage(plans)} ${t('The chat gets the numbers, not the text.')}` };
}

function runMessage(plans: readonly PlanDocument[]): string {
  const [{ prompt, model, oracle }] = plans;
  const calls = plans.reduce((sum, { plan }) => sum + plan.calls.total, 0);
  const figures = [
    prompt.path,
    formatNumberOf(prompt.tokens, 'token'),
    model.name,
    formatCount(oracle.inputLength),
    plans.map(({ scenario }) => scenarioLabel(scenario)).join(', '),
    formatNumberOf(calls, 'call'),
  ];
  const times = plans.map(({ prediction }) => prediction?.wallMs).filter((time) => time !== undefined);
  return times.length < plans.length
    ? t(
        'Two Heads runs {0} ({1}) on this machine with {2}, M = {3}, under {4}: {5} of the small transformer, in a time that is not known, since this machine is not calibrated.',
        ...figures,
      )
    : t(
        'Two Heads runs {0} ({1}) on this machine with {2}, M = {3}, under {4}: {5} of the small transformer, expected to take {6}, with the check and the comparison of quality on top.',
        ...figures,
        formatDuration(times.reduce((sum, time) => sum + time, 0)),
      );
}
