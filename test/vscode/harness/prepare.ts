import { launchBrowser } from './browser';
import { installCodeServer } from './install';

/** Runs once before all files of a project: what they share is installed before two of them begin at once. */
export async function setup(): Promise<void> {
  await installCodeServer();
  await (await launchBrowser()).close();
}
