import type * as vscode from 'vscode';

/** A place in a text, 0-based. */
export class Position implements vscode.Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {
    if (!(line >= 0) || !(character >= 0)) {
      throw new Error(`illegal argument: ${line}, ${character} is no position`);
    }
  }

  compareTo(other: vscode.Position): number {
    return Math.sign(this.line - other.line || this.character - other.character);
  }

  isBefore(other: vscode.Position): boolean {
    return this.compareTo(other) < 0;
  }

  isBeforeOrEqual(other: vscode.Position): boolean {
    return this.compareTo(other) <= 0;
  }

  isAfter(other: vscode.Position): boolean {
    return this.compareTo(other) > 0;
  }

  isAfterOrEqual(other: vscode.Position): boolean {
    return this.compareTo(other) >= 0;
  }

  isEqual(other: vscode.Position): boolean {
    return this.compareTo(other) === 0;
  }

  translate(change: number | { lineDelta?: number; characterDelta?: number } = 0, characters = 0): Position {
    const { lineDelta = 0, characterDelta = 0 } = typeof change === 'number' ? { lineDelta: change, characterDelta: characters } : change;
    return new Position(this.line + lineDelta, this.character + characterDelta);
  }

  with(change: number | { line?: number; character?: number } = this.line, at = this.character): Position {
    const { line = this.line, character = this.character } = typeof change === 'number' ? { line: change, character: at } : change;
    return new Position(line, character);
  }
}

/** What a range is made of: two places, or four numbers. */
type Ends = [vscode.Position, vscode.Position] | [number, number, number, number];

function places(ends: Ends): [Position, Position] {
  const [startLine, startCharacter, endLine, endCharacter] =
    ends.length === 4 ? ends : [ends[0].line, ends[0].character, ends[1].line, ends[1].character];
  return [new Position(startLine, startCharacter), new Position(endLine, endCharacter)];
}

/** Two places in the order of the text. */
export class Range implements vscode.Range {
  readonly start: Position;
  readonly end: Position;

  constructor(...ends: Ends) {
    const [one, other] = places(ends);
    [this.start, this.end] = one.isAfter(other) ? [other, one] : [one, other];
  }

  get isEmpty(): boolean {
    return this.start.isEqual(this.end);
  }

  get isSingleLine(): boolean {
    return this.start.line === this.end.line;
  }

  contains(inner: vscode.Position | vscode.Range): boolean {
    const { start, end } = 'start' in inner ? inner : { start: inner, end: inner };
    return this.start.isBeforeOrEqual(start) && this.end.isAfterOrEqual(end);
  }

  isEqual(other: vscode.Range): boolean {
    return this.start.isEqual(other.start) && this.end.isEqual(other.end);
  }

  intersection(other: vscode.Range): Range | undefined {
    const start = this.start.isAfter(other.start) ? this.start : other.start;
    const end = this.end.isBefore(other.end) ? this.end : other.end;
    return end.isBefore(start) ? undefined : new Range(start, end);
  }

  union(other: vscode.Range): Range {
    return new Range(this.start.isBefore(other.start) ? this.start : other.start, this.end.isAfter(other.end) ? this.end : other.end);
  }

  with(change: vscode.Position | { start?: vscode.Position; end?: vscode.Position } = this.start, to: vscode.Position = this.end): Range {
    const { start = this.start, end = this.end } = 'line' in change ? { start: change, end: to } : change;
    return new Range(start, end);
  }
}

/** A range with the end at which its cursor stands. */
export class Selection extends Range implements vscode.Selection {
  readonly anchor: Position;
  readonly active: Position;

  constructor(...ends: Ends) {
    super(...ends);
    [this.anchor, this.active] = places(ends);
  }

  get isReversed(): boolean {
    return this.active.isBefore(this.anchor);
  }
}
