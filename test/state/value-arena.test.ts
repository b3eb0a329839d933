import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NO_SLAB, Slab, ValueArena, valueOf, type ValueHolder } from "../../src/state/value-arena.ts";

function store(arena: ValueArena, bytes: Uint8Array): ValueHolder {
  const holder = { slab: NO_SLAB, start: 0, length: 0, held: false };
  arena.store(holder, bytes, 0);
  return holder;
}

test("keeps every held value whatever is stored and released around it", () => {
  const step = fc.record({ size: fc.oneof(fc.nat(40), fc.nat(3000), fc.nat(20_000)), release: fc.nat(), keep: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const arena = new ValueArena();
      const held: { holder: ValueHolder; byte: number; size: number }[] = [];
      steps.forEach(({ size, release, keep }, index) => {
        held.push({ holder: store(arena, new Uint8Array(size).fill(index)), byte: index & 0xff, size });
        if (keep) return;
        const [gone] = held.splice(release % held.length, 1);
        if (gone !== undefined) arena.release(gone.holder);
      });
      for (const { holder, byte, size } of held) expect(valueOf(holder)).toEqual(new Uint8Array(size).fill(byte));
    }),
    { numRuns: 50 },
  );
});

test("keeps the newest value of each key that is written over and over, in memory that stays bounded", () => {
  const arena = new ValueArena();
  const holders = Array.from({ length: 1000 }, () => store(arena, new Uint8Array(200)));
  // Keys at the front are written often, keys at the back hardly ever, so that every slab holds some of each.
  const writes = Array.from({ length: 60_000 }, (_, index) => Math.floor(((index * 7919) % 1000) ** 4 / 1000 ** 3));
  const newest = new Map<number, number>();
  writes.forEach((key, index) => {
    const holder = holders[key] as ValueHolder;
    arena.release(holder);
    arena.store(holder, new Uint8Array(200).fill(index), 0);
    newest.set(key, index & 0xff);
  });
  for (const [key, byte] of newest) expect(valueOf(holders[key] as ValueHolder)).toEqual(new Uint8Array(200).fill(byte));
  const slabs = new Set(holders.map((holder) => holder.slab));
  expect(slabs.size * 64 * 1024).toBeLessThan(4 * 1000 * 200 + 2 * 64 * 1024);
});

test("gives back the memory of slabs whose values are released after they filled up", () => {
  const arena = new ValueArena();
  const holders = Array.from({ length: 10_000 }, (_, index) => store(arena, new Uint8Array(200).fill(index)));
  const lasting = holders.filter((_, index) => index % 100 === 0);
  for (const holder of holders) if (!lasting.includes(holder)) arena.release(holder);
  expect(new Set(lasting.map((holder) => holder.slab)).size).toBeLessThan(4);
  lasting.forEach((holder, index) => expect(valueOf(holder)).toEqual(new Uint8Array(200).fill(index * 100)));
});

test("does not let a few long-lived values keep the memory of all that was written beside them", () => {
  const arena = new ValueArena();
  const lasting: ValueHolder[] = [];
  for (let index = 0; index < 100_000; index++) {
    const holder = store(arena, new Uint8Array(200).fill(index));
    if (index % 200 === 0) lasting.push(holder);
    else arena.release(holder);
  }
  const slabs = new Set<Slab>(lasting.map((holder) => holder.slab));
  const memory = [...slabs].reduce((sum, slab) => sum + slab.bytes.length, 0);
  expect(memory).toBeLessThan(4 * lasting.length * 200 + 2 * 64 * 1024);
  lasting.forEach((holder, index) => expect(valueOf(holder)[0]).toBe((index * 200) & 0xff));
});

test("never changes the bytes of a view, even when its value has moved or gone", () => {
  const arena = new ValueArena();
  const holder = store(arena, Uint8Array.of(1, 2, 3));
  const view = valueOf(holder);
  const first = holder.slab;
  for (let index = 0; index < 2000; index++) arena.release(store(arena, new Uint8Array(100).fill(9)));
  expect(holder.slab).not.toBe(first);
  expect(valueOf(holder)).toEqual(Uint8Array.of(1, 2, 3));
  arena.release(holder);
  expect(view).toEqual(Uint8Array.of(1, 2, 3));
});
