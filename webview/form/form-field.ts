/** A field of the scenario form. */
export interface FormField {
  readonly element: HTMLElement;
  /** What is wrong with what is in it, or undefined. */
  readonly complaint: string | undefined;
  /** Marks it as refused, or not. */
  mark(invalid: boolean): void;
}
