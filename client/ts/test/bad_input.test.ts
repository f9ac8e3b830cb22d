// What can go wrong under a match, and what then becomes of it: a typed end, or it heals by itself. Each program here
// watches and predicts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CloseError, type CloseInfo, type Match } from "../src/index.js";
import { bye, type Events, frame, type FrameFields, GLIDING, type Input, keyframe, pong, SCHEMA, type State } from "./fake_server.js";
import { Harness } from "./match_harness.js";
import type { Any } from "./msgpack.js";

const INPUT = 1;
const PING = 2;
const RESYNC = 3;
const RATE = 20;

/** A match under way: the room's tick, which goes on by itself, and the program that plays. */
class Playing {
  readonly h: Harness;
  readonly match: Match<State, Input, Events>;
  tick = 100;
  epoch = 7;
  #x = 50; // of the own ship
  skew = 0; // of the local clock
  #processed = 0;

  private constructor(h: Harness, match: Match<State, Input, Events>) {
    this.h = h;
    this.match = match;
    match.predict({
      tables: ["Ships"],
      step: (s) => {
        for (const ship of s.state.Ships.values()) if (ship.Owner === s.seat) ship.X += s.input?.Turn ?? 0;
      },
    });
  }

  static async start(options: Harness["options"] = {}): Promise<Playing> {
    let p: Playing | undefined;
    const h: Harness = new Harness({ now: () => h.time.now() + (p?.skew ?? 0), ...options });
    p = new Playing(h, await h.join({ schema: GLIDING, tick: 100 }));
    p.run(20);
    return p;
  }

  /** What the local clock says. */
  get now(): number {
    return this.h.time.now() + this.skew;
  }

  /** The local clock is set. */
  set(by: number): void {
    this.skew += by;
  }

  /** A frame of the next tick. */
  frame(f: FrameFields = {}): void {
    this.tick++;
    const blocks = [keyframe([[2 * this.#x, "own", 1], [2 * this.tick, "other", 2]], 90)];
    this.h.socket.say(frame(this.tick, { epoch: this.epoch, processed: this.#processed, blocks, ...f }));
  }

  /** The stamp of a ping that is sent just now. */
  get pinged(): Any | undefined {
    return this.h.socket.sent.find(([kind, stamp]) => kind === PING && stamp === this.now * 1000)?.[1];
  }

  /** The room answers a ping. */
  pong(stamp: Any): void {
    this.h.socket.say(pong(stamp, this.tick, 0));
  }

  /** The room runs for some ticks: it takes inputs and sends frames; the program draws and steers now and then. */
  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      const { pinged } = this;
      this.h.time.advance(1000 / RATE);
      if (pinged !== undefined) this.pong(pinged);
      for (const [, , , , seq, list] of this.h.socket.take(INPUT)) {
        for (const input of (list as Any[][]).slice(0, (seq as number) - this.#processed).reverse()) {
          this.#x += (input[3] as Any[])[0] as number;
        }
        this.#processed = Math.max(this.#processed, seq as number);
      }
      this.frame();
      this.match.view(this.now);
      if (i % 4 === 0) this.match.send({ Turn: 1 });
    }
  }

  /** The room runs without anybody to hear it. */
  alone(ms: number): void {
    this.tick += (ms * RATE) / 1000;
  }

  /** A host takes over, from a tick of before. */
  failover(back: number): void {
    this.epoch++;
    this.tick -= back;
  }

  accept(): void {
    this.h.accept({ schema: GLIDING, tick: this.tick, epoch: this.epoch, seq: this.#processed, resume: "next" });
  }

  /** That it plays well: rows move evenly and are of now, an input shows at once, and it reaches the room in time. */
  assertWell(about: string): void {
    const shown = (id: number) => this.match.view(this.now)!.tables.Ships.get(id)!.X;
    assert.equal(this.match.state, "playing", about);
    this.run(5);
    const other = shown(65537);
    assert.ok(other > this.tick - 12 && other < this.tick + 2, `${about}: another ship is shown at ${other} in tick ${this.tick}`);
    const ahead = this.match.serverTick() - this.tick;
    assert.ok(ahead > -1 && ahead < 2, `${about}: the room is taken to be ${ahead} ticks ahead of itself`);
    this.h.time.advance(40);
    const before = shown(1);
    this.h.socket.take(INPUT);
    this.match.send({ Turn: 30 });
    const [packet] = this.h.socket.take(INPUT);
    const input = (packet![5] as Any[][])[0]!;
    assert.ok((input[0] as number) > this.tick && (input[0] as number) < this.tick + 4, `${about}: an input is for ${input[0]} in ${this.tick}`);
    assert.ok((input[1] as number) > this.tick - 12, `${about}: the player looks at ${input[1]} in ${this.tick}`);
    this.h.time.advance(16);
    assert.ok(shown(1) > before, `${about}: an input shows at once: ${shown(1)} after ${before}`);
  }
}

const healing: [name: string, act: (p: Playing) => void][] = [
  ["the server is gone for five seconds", (p) => {
    p.h.socket.end(1006);
    for (let i = 0; i < 5; i++) {
      p.h.time.advance(1000);
      p.match.view(p.now);
      p.h.socket.fail();
    }
    p.alone(6000);
    p.h.time.advance(5000); // to the next attempt
    p.accept();
    p.frame();
  }],
  ["the server is silent for eleven seconds", (p) => {
    p.h.time.advance(11_000);
    p.alone(11_000);
    p.accept();
    p.frame();
  }],
  ["the host is killed with its sockets, and another one goes on from three seconds before", (p) => {
    p.h.socket.end(1006);
    p.failover(60);
    p.h.time.advance(60);
    p.accept();
    p.match.view(p.now);
    p.frame();
  }],
  ["the host is killed behind its edge, and another one goes on from three seconds before", (p) => {
    p.failover(60);
    p.h.time.advance(400);
    p.frame();
  }],
  ["the view hash differs", (p) => {
    p.frame({ hashes: [[0, 1n]], blocks: [] });
    assert.equal(p.match.stats.hashMismatches, 1);
    assert.deepEqual(p.h.socket.take(RESYNC), [[RESYNC, 0]]);
  }],
  ["a block is none", (p) => {
    p.frame({ blocks: [[0, [255, 255, 255]]] });
    assert.equal(p.match.stats.decodeErrors, 1);
    assert.deepEqual(p.h.socket.take(RESYNC), [[RESYNC, 0]]);
  }],
  ["the clock jumps ahead by an hour", (p) => p.set(3_600_000)],
  ["the clock jumps back by an hour", (p) => p.set(-3_600_000)],
  ["the clock stood still for a minute while the machine slept, and the socket lived", (p) => {
    p.alone(60_000);
    p.h.time.advance(50);
  }],
  ["the tab slept for 60 s, and what came meanwhile is read before the timers fire", (p) => {
    p.h.time.sleep(60_000);
    for (let i = 0; i < 60 * RATE; i++) p.frame();
    p.h.time.advance(1);
    assert.equal(p.h.sockets.length, 1, "it is the same socket");
  }],
  ["the tab slept for 60 s, and the timers fire before what came meanwhile is read", (p) => {
    p.h.time.sleep(60_000);
    p.h.time.advance(1);
    for (let i = 0; i < 60 * RATE; i++) p.frame();
    p.h.time.advance(1);
    assert.equal(p.h.sockets.length, 1, "it is the same socket");
  }],
  ...[2000, 4000, 20_000].map((ms): [string, (p: Playing) => void] => [`the tab slept for ${ms / 1000} s with a ping on its way`, (p) => {
    while (p.pinged === undefined) p.run(1);
    const { pinged } = p;
    const rtt = p.match.stats.rttMs;
    p.frame();
    p.h.time.sleep(ms);
    p.pong(pinged!);
    for (let i = 0; i < (ms * RATE) / 1000; i++) p.frame();
    assert.ok(p.match.stats.rttMs < rtt + 150, `the round trip is ${p.match.stats.rttMs}, and was ${rtt}`);
    p.h.time.advance(1);
    p.run(10 * RATE);
  }]),
  ["the tab slept for 60 s, and its socket is dead", (p) => {
    p.h.time.sleep(60_000);
    p.alone(60_000);
    p.h.time.advance(2_100);
    p.alone(2_100);
    assert.equal(p.h.sockets.length, 2);
    p.accept();
    p.frame();
  }],
  ["the tab slept for 60 s while a lost socket was to be taken up again, and the network needs seconds to wake", (p) => {
    p.h.socket.end(1006);
    p.h.time.sleep(60_000);
    p.alone(60_000);
    for (let i = 0; i < 4; i++) {
      p.h.time.advance(1000);
      p.h.socket.fail();
    }
    p.alone(4_000);
    p.h.time.advance(5000);
    p.alone(5000);
    p.accept();
    p.frame();
  }],
  ["the tab is hidden: frames come, and nobody draws for 60 s", (p) => {
    for (let i = 0; i < 60 * RATE; i++) {
      p.h.time.advance(1000 / RATE);
      p.frame();
    }
  }],
  ["more waits in the browser's own send buffer than may", (p) => {
    p.h.socket.bufferedAmount = 1 << 20;
    p.run(60);
    assert.ok(p.match.stats.shed >= 15, `${p.match.stats.shed}`);
    p.h.socket.bufferedAmount = 0;
  }],
];

for (const [name, act] of healing) {
  test(`it heals by itself: ${name}`, async () => {
    const p = await Playing.start();
    act(p);
    p.run(30);
    p.assertWell(name);
    assert.deepEqual(p.h.closes, []);
  });
}

const ending: [name: string, want: Partial<CloseInfo>, act: (p: Playing) => void][] = [
  ["the server is gone for good", { code: 1006, name: "lost", action: "reconnect" }, (p) => {
    p.h.socket.end(1006);
    for (let i = 0; i < 40; i++) {
      p.h.time.advance(1000);
      p.h.socket.fail();
    }
  }],
  ["the player's token expires in mid-match", { code: 4205, name: "token_expired", action: "requeue" }, (p) => {
    p.h.socket.say(bye(4205, "the token has expired"));
  }],
  ["the seat is no longer held", { code: 4203, name: "seat_expired", action: "requeue" }, (p) => {
    p.h.socket.end(1006);
    p.h.time.advance(100);
    p.h.socket.open();
    p.h.socket.say(bye(4203));
  }],
  ["the schema's fingerprint is another one after a resume", { code: 4426, name: "version", action: "stop" }, (p) => {
    p.h.socket.end(1006);
    p.h.time.advance(100);
    p.h.accept({ schema: SCHEMA });
  }],
  ["a message is none", { code: 1007, name: "bad_payload", action: "stop" }, (p) => p.h.socket.say(new Uint8Array([0x91]))],
  ["a close code that nobody knows says to stop", { code: 4499, name: "unknown", action: "stop" }, (p) => p.h.socket.end(4499)],
];

for (const [name, want, act] of ending) {
  test(`it ends with a code that says what to do: ${name}`, async () => {
    const p = await Playing.start();
    act(p);
    assert.equal(p.match.state, "closed");
    assert.deepEqual(p.h.closes.map(({ code, name: n, action }) => ({ code, name: n, action })), [want]);
    assert.equal(p.match.send({ Turn: 1 }), false);
    assert.ok(p.match.view(p.now), "the last picture stays");
    assert.equal(p.h.time.next, undefined, "no timer is left");
  });
}

test("what ends a connect is an error of its own type, with the same code", async () => {
  const h = new Harness();
  const connecting = h.connect();
  h.socket.open();
  h.socket.say(bye(4205, "the token has expired"));
  const error: unknown = await connecting.catch((e: unknown) => e);
  assert.ok(error instanceof CloseError);
  assert.deepEqual([error.info.code, error.info.action], [4205, "requeue"]);
});
