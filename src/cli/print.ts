/** Prints a result on stdout: one JSON document where that was asked for, else text for people. */
export function print(flags: { readonly json?: boolean }, document: unknown, text: () => string): void {
  process.stdout.write(`${flags.json === true ? JSON.stringify(document, null, 2) : text()}\n`);
}
