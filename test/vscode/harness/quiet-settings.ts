import type { Settings } from './server';

/** Settings every test starts with: nothing that asks, moves, updates, calls out, or completes what is typed. */
export const quietSettings: Settings = {
  'workbench.colorTheme': 'Default Dark Modern',
  // Any file of a test may be its prompt; prompts.test.ts has the defaults.
  'twoHeads.languages': ['markdown', 'plaintext'],
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  // Else what is typed is saved by itself in a browser, and VS Code prints an error where extensions are too busy to be asked before.
  'files.autoSave': 'off',
  'git.enabled': false,
  'task.autoDetect': 'off',
  'typescript.tsc.autoDetect': 'off',
  'workbench.editor.restoreViewState': false,
  'editor.minimap.enabled': false,
  'editor.autoClosingBrackets': 'never',
  'editor.autoClosingQuotes': 'never',
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.wordBasedSuggestions': 'off',
};
