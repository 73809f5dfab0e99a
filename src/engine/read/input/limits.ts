const mebibyte = 1024 * 1024;

/**
 * The most bytes that are read of each kind of input; whatever has more is refused before it fills the memory.
 *
 * Each is well above what people have: of published models the largest config.json has 2.9 MiB, tokenizer_config.json
 * 1.1 MiB and tokenizer.json 35 MB.
 */
export const inputLimits = {
  prompt: 64 * mebibyte,
  /** A file with values of variables. */
  variables: 8 * mebibyte,
  /** A file of reports, as `simulate --json` and `compare --json` print them. */
  report: 64 * mebibyte,
  experiment: 8 * mebibyte,
  /** A results file, which grows by a few kilobytes with each window of an experiment. */
  results: 1024 * mebibyte,
  /** One line of a results file. */
  resultsLine: 16 * mebibyte,
  /** Who has claimed a piece of work. */
  claim: 4096,
  /** A password, or the certificates of authorities. */
  secret: mebibyte,
  calibration: mebibyte,
  /** Digests of models' files. */
  digests: mebibyte,
  /** A run in the history: several times an average-case run with a thousand heads. */
  run: 8 * mebibyte,
  /** Any other result in the history: an atlas, with its masses and what is cut off of them, has at most some 10 MiB. */
  record: 32 * mebibyte,
  /** config.json and generation_config.json. */
  config: 8 * mebibyte,
  /** A chat template; the largest published ones have some tens of kilobytes. */
  chatTemplate: mebibyte,
  tokenizer: 64 * mebibyte,
  /** tokenizer-stand-in.json. */
  standIn: 8 * mebibyte,
  /** The index of a sharded checkpoint. */
  shardIndex: 16 * mebibyte,
  /** A ref of Hugging Face's cache: a hash. */
  ref: 1024,
  /** A manifest of Ollama's store. */
  manifest: mebibyte,
} as const;
