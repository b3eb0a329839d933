import sortedBtree from "sorted-btree";

type Library = typeof sortedBtree.default;

/** A map ordered by its keys, with an O(1) copy-on-write `clone()`: the copy never sees what is done to the original. */
export type OrderedMap<K, V> = InstanceType<typeof sortedBtree.default<K, V>>;

/** The package is CommonJS: Node's default import is its exports object, that of bundlers and test runners the class itself. */
const Tree = (typeof sortedBtree === "function" ? sortedBtree : sortedBtree.default) as Library;

function compare<K extends string | number>(left: K, right: K): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A map whose string keys are ordered by UTF-16 code unit, which for byte strings is byte order. */
export function stringMap<V>(): OrderedMap<string, V> {
  return new Tree<string, V>(undefined, compare<string>);
}

/** A map ordered by number. */
export function numberMap<V>(): OrderedMap<number, V> {
  return new Tree<number, V>(undefined, (left, right) => left - right);
}
