/**
 * Errors that this VS Code prints because it was installed from npm without native builds and runs without a network.
 * They have nothing to do with the extension under test.
 */
const NOISE = [
  /bindings file/,
  /spdlog/,
  /Release\/watchdog/,
  /vsda/,
  /serviceWorker\.js|fetching the script/,
  /update\/check/,
  /ripgrep/,
  /open-vsx/,
  /Timed out getting tasks/,
  // VS Code gives its extensions 1.75 s before a file is saved, which a busy machine may not have for them; none is ours. How long ours
  // keeps their thread, `check:hold` measures.
  /Aborted onWillSaveTextDocument-event after/,
  // A picture of code-server's own, among its steps to get started.
  /_static\/src\/browser\/media\/templates\.png/,
  // What VS Code itself says of a page that is loaded anew.
  /Long running operations during shutdown/,
];

/** Whether a console message (with the address it came from) is one of those. */
export function isHarnessNoise(text: string, address: string): boolean {
  return NOISE.some((pattern) => pattern.test(text) || pattern.test(address));
}
