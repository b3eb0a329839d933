/** The element at an index that must be there. Throws RangeError when it is not. */
export function at<T>(from: readonly T[], index: number): T {
  const element = from[index];
  if (element === undefined) throw new RangeError(`no element at ${index}`);
  return element;
}
