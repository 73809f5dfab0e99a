import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, ImpactValue } from 'axe-core';
import type { Frame } from 'playwright-core';

/** What axe found: the rule, how bad, and the elements with what is wrong with each. */
interface Violation {
  readonly rule: string;
  readonly impact: ImpactValue | undefined;
  readonly elements: readonly string[];
}

const axe = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');

/** Runs every rule of axe, those for contrast of 4.5 to 1 among them, on the panel's page. */
export async function violations(frame: Frame): Promise<Violation[]> {
  // An evaluated script is not under the page's content security policy.
  await frame.evaluate(axe);
  // The page is transparent, and axe takes what it cannot see behind it for white.
  await frame.evaluate('document.body.style.backgroundColor = "var(--vscode-sideBar-background)"');
  const results = await frame.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return results.violations.map(({ id, impact, nodes }) => ({
    rule: id,
    impact,
    elements: nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)}: ${failureSummary ?? ''}`),
  }));
}
