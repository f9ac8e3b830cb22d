import assert from "node:assert/strict";
import test from "node:test";
import { type Conditions, PRESETS, simulate, Simulator } from "../src/netsim.js";
import { SUBPROTOCOL } from "../src/protocol.js";
import { FakeSocket } from "./fake_server.js";
import { FakeTime } from "./fake_time.js";
import { Harness } from "./match_harness.js";
import { encode } from "./msgpack.js";
import { random } from "./random.js";

/** A client's socket on a simulated network, the server's end of it, and what came when. */
class Line {
  readonly time = new FakeTime();
  readonly began = this.time.now();
  readonly sim: Simulator;
  readonly heard: [at: number, what: number][] = [];
  readonly ends: [at: number, code: number][] = [];
  opened = 0;
  server!: FakeSocket;
  client: WebSocket;

  constructor(conditions: Partial<Conditions>, dice = random(1)) {
    this.sim = new Simulator(conditions, { now: this.time.now, schedule: this.time.schedule, random: () => dice() });
    const factory = simulate((url, protocols) => {
      this.server = new FakeSocket(url, protocols);
      return this.server as unknown as WebSocket;
    }, this.sim);
    this.client = factory("ws://x", [SUBPROTOCOL]);
    this.client.binaryType = "arraybuffer";
    this.client.onopen = () => void (this.opened = this.at);
    this.client.onmessage = ({ data }) => void this.heard.push([this.at, new Uint8Array(data as ArrayBuffer)[0]!]);
    this.client.onclose = ({ code }) => void this.ends.push([this.at, code]);
  }

  get at(): number {
    return this.time.now() - this.began;
  }

  /** A line whose handshake is over. */
  static open(conditions: Partial<Conditions>, dice = random(1)): Line {
    const line = new Line({}, dice);
    line.server.open();
    line.sim.set(conditions);
    return line;
  }

  say(n: number): void {
    this.server.say(Uint8Array.of(n));
  }

  send(n: number): void {
    this.client.send(encode(n) as Uint8Array<ArrayBuffer>);
  }
}

/** Dice that always show the same. */
const always = (v: number) => () => v;

test("half of the latency is on each way, and the handshake takes both", () => {
  const line = new Line({ latencyMs: 100 });
  line.server.open();
  line.time.advance(99);
  assert.equal(line.client.readyState, 0);
  assert.throws(() => line.send(1), /not open/);
  line.time.advance(1);
  assert.deepEqual([line.opened, line.client.readyState], [100, 1]);
  line.say(7);
  line.send(8);
  line.time.advance(49);
  assert.deepEqual([line.heard, line.server.sent], [[], []]);
  line.time.advance(1);
  assert.deepEqual([line.heard, line.server.sent], [[[150, 7]], [8]]);
});

test("jitter varies the round trip by as much up and down, and keeps the order", () => {
  const line = Line.open({ latencyMs: 120, jitterMs: 40 });
  const sent: number[] = [];
  for (let i = 0; i < 200; i++) {
    sent.push(line.at);
    line.say(i);
    line.send(i);
    line.time.advance(50);
  }
  line.time.advance(200);
  const counted = Array.from({ length: 200 }, (_, i) => i);
  assert.deepEqual(line.heard.map(([, n]) => n), counted);
  assert.deepEqual(line.server.sent, counted);
  const took = line.heard.map(([at], i) => at - sent[i]!);
  assert.ok(took.every((ms) => ms >= 40 && ms <= 80), `${Math.min(...took)} to ${Math.max(...took)}`);
  assert.ok(Math.min(...took) < 44 && Math.max(...took) > 76, `${Math.min(...took)} to ${Math.max(...took)}`);
});

test("a message that would overtake waits for those before it", () => {
  const dice = [0.999, 0, 0.5];
  const line = Line.open({ latencyMs: 100, jitterMs: 100 }, () => dice.shift() ?? 0.5);
  line.say(1); // 100 ms
  line.say(2); // 0 ms by its own dice
  line.time.advance(99);
  assert.equal(line.heard.length, 0);
  line.time.advance(1);
  assert.deepEqual(line.heard.map(([, n]) => n), [1, 2]);
});

test("in a stall nothing arrives either way; then all does at once", () => {
  const line = Line.open({ stallMs: 1000, stallEveryMs: 4000 }, always(0.5)); // from 4000 to 5000, and so on
  for (let i = 0; i < 60; i++) {
    line.say(i);
    line.send(i);
    line.time.advance(100);
  }
  const at = (ms: number) => line.heard.filter(([t]) => t === ms).map(([, n]) => n);
  assert.deepEqual(at(3900), [39]);
  assert.deepEqual(line.heard.filter(([t]) => t >= 4000 && t < 5000), []);
  assert.deepEqual(at(5000), [40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
  assert.deepEqual(at(5100), [51]);
  assert.equal(line.server.sent.length, 60);
});

test("what a stall holds up is told as buffered; what is merely on its way is not", () => {
  const line = Line.open({ latencyMs: 200, stallMs: 1000, stallEveryMs: 1000 }, always(0.5));
  line.send(1);
  assert.equal(line.client.bufferedAmount, 0);
  line.time.advance(1100);
  line.send(2);
  line.send(3);
  assert.equal(line.client.bufferedAmount, 2);
  line.server.bufferedAmount = 5;
  assert.equal(line.client.bufferedAmount, 7);
  line.time.advance(2000);
  assert.equal(line.client.bufferedAmount, 5);
});

test("a lost socket ends as 1006 with all that was on its way, and the true one is closed", () => {
  const line = Line.open({ latencyMs: 100, dropEveryMs: 1000 }, always(0.5));
  line.time.advance(990);
  line.say(1);
  line.send(2);
  line.time.advance(10);
  assert.deepEqual(line.ends, [[1000, 1006]]);
  assert.deepEqual([line.client.readyState, line.server.closed, line.sim.drops], [3, true, 1]);
  line.time.advance(1000);
  assert.deepEqual([line.heard, line.server.sent, line.ends.length], [[], [], 1]);
  assert.equal(line.time.next, undefined);
  line.send(3); // as a true one does, it takes this without a word
});

test("a socket can be lost by hand; one that is being opened is left alone", () => {
  const line = new Line({});
  line.sim.drop();
  assert.deepEqual([line.ends, line.server.closed], [[], false]);
  line.server.open();
  line.sim.drop();
  assert.deepEqual(line.ends, [[0, 1006]]);
});

test("conditions change while it runs; what is on its way arrives as it would have, in order", () => {
  const line = Line.open({ latencyMs: 400 });
  line.say(1);
  line.sim.set({});
  line.say(2);
  line.time.advance(199);
  assert.deepEqual(line.heard, []);
  line.time.advance(1);
  assert.deepEqual(line.heard, [[200, 1], [200, 2]]);
  line.say(3);
  assert.deepEqual(line.heard.at(-1), [200, 3]); // without conditions, within the call
  line.sim.set({ dropEveryMs: 10 });
  line.time.advance(15);
  assert.equal(line.ends.length, 1);
});

test("closing hands on what was sent, stops all timers and tells of the close once", () => {
  const line = Line.open({ latencyMs: 100, jitterMs: 20, stallMs: 50, stallEveryMs: 100, dropEveryMs: 5000 });
  line.send(1);
  line.say(2);
  line.client.close();
  assert.deepEqual(line.server.sent, [1]);
  assert.deepEqual([line.server.closed, line.ends.map(([, code]) => code)], [true, [1005]]);
  assert.equal(line.time.next, undefined);
  line.time.advance(1000);
  assert.deepEqual([line.heard, line.ends.length], [[], 1]);
});

test("a socket that is closed before it is open does not open any more", () => {
  const line = new Line({ latencyMs: 100 });
  line.server.open();
  line.time.advance(10);
  line.sim.set({}); // what is sent from now on takes no time
  line.client.close();
  assert.ok(line.client.readyState >= 2);
  line.time.advance(1000);
  assert.equal(line.opened, 0);
  assert.equal(line.time.next, undefined);
});

test("a close by the server comes after what it sent before, and stops all timers", () => {
  const line = Line.open({ latencyMs: 100, dropEveryMs: 60_000 });
  line.say(1);
  line.server.end(4300, "drain");
  line.time.advance(50);
  assert.deepEqual([line.heard, line.ends], [[[50, 1]], [[50, 4300]]]);
  assert.equal(line.time.next, undefined);
});

test("a socket for which more than 4 MiB wait counts as lost", () => {
  const line = Line.open({ latencyMs: 1000 });
  const large = new Uint8Array(1 << 20);
  for (let i = 0; i < 4; i++) line.server.say(large);
  assert.deepEqual(line.ends, []);
  line.server.say(large);
  assert.deepEqual(line.ends, [[0, 1006]]);
});

test("what was sent is copied: the caller may write into its buffer again", () => {
  const line = Line.open({ latencyMs: 100 });
  const buffer = encode(5) as Uint8Array<ArrayBuffer>;
  line.client.send(buffer);
  buffer.set(encode(6));
  line.time.advance(50);
  assert.deepEqual(line.server.sent, [5]);
});

test("the same dice make the same network", () => {
  const run = () => {
    const line = Line.open(PRESETS["Bad"]!, random(9));
    for (let i = 0; i < 250; i++) {
      if (line.client.readyState === 1) line.say(i);
      line.time.advance(50);
    }
    return [line.heard, line.ends];
  };
  assert.deepEqual(run(), run());
});

test("conditions that are none are refused, and nothing changes", () => {
  const sim = new Simulator({ latencyMs: 50 });
  for (const bad of [{ latencyMs: -1 }, { stallMs: NaN }, { dropEveryMs: Infinity }, { jitterMs: 600_001 }]) {
    assert.throws(() => sim.set(bad), RangeError);
  }
  assert.equal(sim.conditions.latencyMs, 50);
  assert.throws(() => new Simulator({ latencyMs: -1 }), RangeError);
  for (const preset of Object.values(PRESETS)) new Simulator(preset);
});

test("a match plays on over it, comes back after a loss, and leaves nothing behind", async () => {
  const h = new Harness();
  const sim = new Simulator({ latencyMs: 100, jitterMs: 30 }, { now: h.time.now, schedule: h.time.schedule, random: random(3) });
  h.options.webSocket = sim.sockets(h.options.webSocket!);
  const connecting = h.connect();
  h.accept();
  h.time.advance(300);
  const match = await connecting;
  assert.equal(match.state, "playing");
  sim.drop();
  assert.equal(match.state, "reconnecting");
  h.time.advance(200);
  h.accept({ resume: "secret-2" });
  h.time.advance(300);
  assert.equal(match.state, "playing");
  match.close();
  assert.equal(h.time.next, undefined);
});

test("whatever the network does meanwhile, nothing overtakes, nothing comes twice, and a socket that lives loses nothing", () => {
  const dice = random(77);
  const some = (most: number) => (dice(3) === 0 ? 0 : dice(most));
  for (let round = 0; round < 150; round++) {
    const line = Line.open({}, random(round));
    let [said, sent] = [0, 0];
    for (let i = 0; i < 60 && line.client.readyState === 1; i++) {
      switch (dice(5)) {
        case 0:
          line.sim.set({
            latencyMs: some(400), jitterMs: some(400), stallMs: some(900), stallEveryMs: some(2000), dropEveryMs: dice(4) ? 0 : 5000,
          });
          break;
        case 1:
          line.send(sent++);
          break;
        case 2:
          line.say(said++);
          break;
        default:
          line.time.advance(dice(200));
      }
      assert.ok(line.client.bufferedAmount >= 0);
    }
    const lives = line.client.readyState === 1;
    if (lives) line.sim.set({});
    line.time.advance(5000);
    const counted = (n: number) => Array.from({ length: n }, (_, i) => i);
    assert.deepEqual(line.heard.map(([, n]) => n), counted(lives ? said : line.heard.length));
    assert.deepEqual(line.server.sent, counted(lives ? sent : line.server.sent.length));
    assert.deepEqual([line.ends.length, line.client.bufferedAmount], [lives ? 0 : 1, 0]);
    line.client.close();
    assert.equal(line.time.next, undefined, "a timer is left");
  }
});
