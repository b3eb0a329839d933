/** A text that ends with a full stop, so that another sentence may follow. */
export function asSentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
