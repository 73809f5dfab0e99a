import { setTranslations } from '../src/core/l10n';

export { messageShown, t } from '../src/core/l10n';

// The host writes the translations into the page; there are none in English.
setTranslations(JSON.parse(document.getElementById('app')?.dataset.translations ?? '{}'));
