import { t } from '../l10n';

/** The name of a statistic, or of a column of a curve, which the command line prints in English. Percentiles need no words. */
export function qualityName(name: string): string {
  return names()[name.trim()] ?? name.trim();
}

function names(): Readonly<Partial<Record<string, string>>> {
  return {
    perplexity: t('perplexity'),
    "perplexity, model's own attention": t("perplexity, model's own attention"),
    'ln(ratio of perplexities)': t('ln(ratio of perplexities)'),
    'ratio of perplexities': t('ratio of perplexities'),
    'KL divergence, mean (nats)': t('KL divergence, mean (nats)'),
    maximum: t('maximum'),
    median: t('median'),
    'change of the probability, mean': t('change of the probability, mean'),
    'root mean square': t('root mean square'),
    'same top token': t('same top token'),
    'tokens before': t('tokens before'),
    scored: t('scored'),
    loss: t('loss'),
    'own loss': t('own loss'),
    'mean KL': t('mean KL'),
    '95% interval': t('95% interval'),
    'same top': t('same top'),
  };
}
