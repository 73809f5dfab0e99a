/**
 * undici (MIT) is the `fetch` of Node, which in Node 20 and 22 does not look at `HTTPS_PROXY`. It is bundled apart,
 * `dist/undici.js`, and loaded only where such a variable is set: import this file with `import()`.
 */
export { EnvHttpProxyAgent, fetch, Pool } from 'undici';
