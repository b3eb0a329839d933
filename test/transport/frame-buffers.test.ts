import { describe, expect, it } from "vitest";
import { FrameBuffers } from "../../src/transport/frame-buffers.ts";

describe("the buffers of frames", () => {
  it("hands out memory again once it was given back, and not before", () => {
    const buffers = new FrameBuffers();
    const first = buffers.take(100);
    const second = buffers.take(200);
    expect(second.buffer).not.toBe(first.buffer);
    buffers.give(first);
    const third = buffers.take(300);
    expect(third.buffer).toBe(first.buffer);
    expect(third).toHaveLength(300);
  });

  it("keeps a few buffers at most, and none that is larger than usual", () => {
    const buffers = new FrameBuffers();
    const large = buffers.take(200 * 1024);
    buffers.give(large);
    expect(buffers.take(200 * 1024).buffer).not.toBe(large.buffer);
    const taken = Array.from({ length: 10 }, () => buffers.take(10));
    for (const bytes of taken) buffers.give(bytes);
    const again = new Set(Array.from({ length: 10 }, () => buffers.take(10).buffer));
    expect(taken.filter((bytes) => again.has(bytes.buffer))).toHaveLength(4);
  });
});
