/** Tokens in the making: ids and where they begin, in typed arrays that grow. */
export class TokenBuffer {
  ids = new Int32Array(1024);
  /** Offsets in UTF-16 code units. */
  starts = new Int32Array(1024);
  length = 0;

  push(id: number, start: number): void {
    if (this.length === this.ids.length) {
      this.ids = grown(this.ids);
      this.starts = grown(this.starts);
    }
    this.ids[this.length] = id;
    this.starts[this.length] = start;
    this.length += 1;
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Called every few thousand steps of long work, so that its caller can stop it: what it throws ends the work. */
export type Check = () => void;
