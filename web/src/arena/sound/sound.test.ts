import assert from "node:assert/strict";
import { test } from "node:test";

import { Sound } from "./sound.ts";

/** An audio context that a platform lets run only within a gesture that it counts as one. */
class FakeContext {
  static last: FakeContext | undefined;
  state = "suspended";
  allowed = false;
  currentTime = 0;
  sampleRate = 10;
  destination = node();
  createDynamicsCompressor = node;
  createGain = node;
  createBuffer = () => ({ getChannelData: () => [] });

  constructor() {
    FakeContext.last = this;
  }

  resume(): Promise<void> {
    if (!this.allowed) return new Promise(() => undefined); // as browsers do
    this.state = "running";
    return Promise.resolve();
  }
}

function node(): object {
  const value = { value: 0 };
  return { gain: value, threshold: value, ratio: value, release: value, connect: (to: object) => to };
}

test("the speaker is asked at each gesture until it runs: the first touch of a screen may not count as one", async () => {
  const heard = new Map<string, () => void>();
  Object.assign(globalThis, {
    AudioContext: FakeContext,
    document: { hidden: false, addEventListener: () => undefined },
    addEventListener: (name: string, call: () => void) => void heard.set(name, call),
    removeEventListener: (name: string) => void heard.delete(name),
  });
  new Sound();
  heard.get("pointerdown")!();
  const ctx = FakeContext.last!;
  await Promise.resolve();
  assert.equal(ctx.state, "suspended");
  ctx.allowed = true;
  heard.get("touchend")!();
  await Promise.resolve();
  assert.equal(ctx.state, "running");
  assert.equal(FakeContext.last, ctx, "one context is enough");
  assert.deepEqual([...heard.keys()], [], "it listens no more");
});
