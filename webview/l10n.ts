import { setTranslations } from '../src/core/l10n';

export { t } from '../src/core/l10n';

// The host wrote the translations into the page; in English there are none.
setTranslations(JSON.parse(document.getElementById('app')?.dataset.translations ?? '{}'));
