import { formatCount, formatDuration, formatNumberOf } from '../../core/format';
import { scenarioLabel } from '../../core/masks';
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
    title: `Plan ${name}?`,
    message: `Two Heads counts what ${name} (${formatNumberOf(characters, 'character')}) costs. Nothing is run; the chat gets the numbers, not the text.`,
    progress: `Planning ${name}`,
  };
}

/** Before a prompt is run. @param plans of its scenarios, at least one */
export function runConfirmation(plans: readonly PlanDocument[]): Confirmation {
  const [{ prompt, model, oracle }] = plans;
  const scenarios = plans.map(({ scenario }) => scenarioLabel(scenario));
  const compares = plans.length > 1;
  const calls = plans.reduce((sum, { plan }) => sum + plan.calls.total, 0);
  return {
    title: compares ? `Compare ${plans.length} scenarios on ${prompt.path}?` : `Simulate ${prompt.path}?`,
    message: [
      `Two Heads runs ${prompt.path} (${formatNumberOf(prompt.tokens, 'token')}) on this machine with ${model.name}, M = ${formatCount(oracle.inputLength)}, under ${scenarios.join(', ')}:`,
      `${formatNumberOf(calls, 'call')} of the small transformer, ${expectedTime(plans)}. The chat gets the numbers, not the text.`,
    ].join(' '),
    progress: compares ? `Comparing ${plans.length} scenarios on ${prompt.path}` : `Simulating ${prompt.path} under ${scenarios[0]}`,
  };
}

function expectedTime(plans: readonly PlanDocument[]): string {
  const times = plans.map(({ prediction }) => prediction?.wallMs);
  const known = times.filter((time) => time !== undefined);
  return known.length < times.length
    ? 'in a time that is not known, since this machine is not calibrated'
    : `expected to take ${formatDuration(known.reduce((sum, time) => sum + time, 0))}, with the check and the comparison of quality on top`;
}
