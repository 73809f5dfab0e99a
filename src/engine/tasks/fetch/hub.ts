/**
 * All that is used of `@huggingface/hub` (MIT): it asks the hub what a repository is and which files it has. It is bundled apart,
 * `dist/hub.js`, and loaded only once a user asks for a model: import this file with `import()`.
 */
export { listFiles, modelInfo } from '@huggingface/hub';
