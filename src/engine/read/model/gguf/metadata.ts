/** What a GGUF file says of its model, by key. */
export type Metadata = ReadonlyMap<string, MetadataValue>;

/** A value of the metadata. Unless it is wanted whole, of a list that is long, or of texts, only its length is kept, and of a long text nothing. */
export type MetadataValue = number | boolean | string | MetadataList;

/** A list: `values` of numbers or switches, `texts` of texts. */
export interface MetadataList {
  readonly length: number;
  readonly values: readonly (number | boolean)[] | undefined;
  readonly texts?: TextList;
}

/** A list of texts, each decoded when it is asked for: vocabularies have hundreds of thousands. */
export interface TextList {
  readonly length: number;
  /** @returns undefined where it is not UTF-8, or there is none */
  at(index: number): string | undefined;
}

/** Which keys are wanted whole, however long their values are. */
export type WantedKeys = (key: string) => boolean;

/** Texts as the file stores them, each behind its length in bytes. The caller has checked that they lie within `bytes`. */
export class StoredTexts implements TextList {
  private readonly starts: Uint32Array;
  private readonly view: DataView;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(
    private readonly bytes: Uint8Array,
    first: number,
    readonly length: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.starts = new Uint32Array(length);
    let at = first;
    for (let index = 0; index < length; index += 1) {
      this.starts[index] = at;
      at += 8 + this.view.getUint32(at, true);
    }
  }

  at(index: number): string | undefined {
    if (!(index >= 0 && index < this.length)) {
      return undefined;
    }
    const from = this.starts[index] + 8;
    try {
      return this.utf8.decode(this.bytes.subarray(from, from + this.view.getUint32(from - 8, true)));
    } catch {
      return undefined;
    }
  }
}
