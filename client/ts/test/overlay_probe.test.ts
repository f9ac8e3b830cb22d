import assert from "node:assert/strict";
import test from "node:test";
import type { Match } from "../src/index.js";
import { type Observed, Probe, SAMPLE_MS } from "../src/overlay/probe.js";
import { frame, keyframe, moved } from "./fake_server.js";
import { Harness } from "./match_harness.js";

// Every match can be observed: this does not compile otherwise.
export const observed = (match: Match): Observed => match;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A match that is made up, and a probe that is asked ten times a second. */
class Trial {
  readonly stats = {
    rttMs: 0, jitterMs: 0, frames: 0, frameGapMs: 0, bytesIn: 0, bytesOut: 0, bytesByScope: new Map<number, number>(),
    bytesByTable: {} as Record<string, number>, leadTicks: 0, shed: 0, resumes: 0, decodeErrors: 0, hashMismatches: 0,
  } as Writable<Observed["stats"]> & { bytesByScope: Map<number, number>; bytesByTable: Record<string, number> };
  readonly match: Writable<Observed> = {
    state: "playing", info: { room: "r", seat: 1, epoch: 1n, rate: 20 }, stats: this.stats,
  };
  readonly probe = new Probe(this.match);
  at = 0;

  /** Lets time go on, with a frame each 50 ms, or none. */
  run(ms: number, frames = true): void {
    for (const end = this.at + ms; this.at < end; this.at += 50) {
      if (frames) {
        this.stats.frames++;
        this.stats.frameGapMs = 50;
      }
      if (this.at % SAMPLE_MS === 0) this.probe.sample(this.at);
    }
  }

  get incidents(): string[] {
    return this.probe.incidents.map(({ kind, text }) => `${kind}: ${text}`);
  }
}

test("a killed host is one incident: how long no frame came, and how many ticks it went back", () => {
  const t = new Trial();
  t.run(1000);
  t.match.state = "reconnecting";
  t.run(800, false);
  t.match.state = "playing";
  t.stats.resumes++;
  t.stats.takeover = { count: 1, pausedMs: 850, rolledBackTicks: 6 };
  t.run(1000);
  assert.deepEqual(t.incidents, ["host: New host: paused 850 ms, rolled back 6 ticks"]);
  assert.equal(t.probe.gap.max(0), 850);
  t.run(500, false);
  t.stats.takeover = { count: 2, pausedMs: 550, rolledBackTicks: 0 };
  t.run(1000);
  assert.equal(t.incidents[1], "host: New host: paused 550 ms, rolled back 0 ticks");
});

test("a socket that was lost and a network that stood still are told with their time", () => {
  const t = new Trial();
  t.run(1000);
  t.match.state = "reconnecting";
  t.run(600, false);
  t.match.state = "playing";
  t.run(1000);
  t.run(1000, false);
  t.run(1000);
  const [lost, still] = t.probe.incidents;
  assert.equal(t.incidents.length, 2);
  assert.equal(lost!.kind, "resume");
  assert.ok(Math.abs(lost!.pausedMs! - 600) <= SAMPLE_MS, lost!.text);
  assert.equal(still!.kind, "pause");
  assert.ok(Math.abs(still!.pausedMs! - 1000) <= SAMPLE_MS, still!.text);
});

test("frames that come as they should, or at a low rate, are no incident", () => {
  const t = new Trial();
  t.run(5000);
  t.match.info = { ...t.match.info, rate: 2 };
  for (let i = 0; i < 10; i++) {
    t.run(450, false);
    t.run(50);
  }
  assert.deepEqual(t.incidents, []);
});

test("broken scopes and the end of a match are told once, and no more than 50 are kept", () => {
  const t = new Trial();
  for (let i = 0; i < 60; i++) {
    t.run(200);
    t.stats[i % 2 ? "decodeErrors" : "hashMismatches"]++;
  }
  t.run(200);
  assert.equal(t.probe.incidents.length, 50);
  assert.ok(t.probe.incidents.every(({ kind }) => kind === "heal"));
  t.match.state = "closed";
  t.run(1000, false);
  assert.equal(t.probe.incidents.filter(({ kind }) => kind === "end").length, 1);
});

test("bytes are told by the kind of their scope and by table, and the rest of them apart", () => {
  const t = new Trial();
  for (let i = 0; i < 40; i++) {
    t.stats.bytesByScope = new Map([[0, i * 10], [5, i * 2], [0x801, i], [0x802, i * 3]]);
    t.stats.bytesByTable = { Ships: i * 12, Round: i };
    t.stats.bytesIn = i * 20;
    t.run(100);
  }
  const rates = (layers: readonly { name: string; series: { value(): number } }[]) =>
    Object.fromEntries(layers.map((l) => [l.name, Math.round(l.series.value())]));
  assert.deepEqual(rates(t.probe.scopes.list), { room: 100, own: 20, team: 0, cells: 40 });
  assert.deepEqual(rates(t.probe.tables.list), { Ships: 120, Round: 10 });
  assert.deepEqual([t.probe.bytesIn.value(), t.probe.restOfScopes.value(), t.probe.restOfTables.value()].map(Math.round), [200, 40, 70]);
});

test("a game of many tables has layers for five; the others count to the rest", () => {
  const t = new Trial();
  for (let i = 0; i < 20; i++) {
    for (let n = 0; n < 9; n++) t.stats.bytesByTable[`T${n}`] = i * 10;
    t.stats.bytesIn = i * 90;
    t.run(100);
  }
  assert.deepEqual(t.probe.tables.list.map(({ name, colour }) => [name, colour]), [["T0", 0], ["T1", 1], ["T2", 2], ["T3", 3], ["T4", 4]]);
  assert.equal(Math.round(t.probe.restOfTables.value()), 400);
});

test("what is not known is a gap in its graph, not a zero", () => {
  const t = new Trial();
  t.match.info = { ...t.match.info, seat: 0 };
  t.run(500, false);
  for (const s of [t.probe.rtt, t.probe.jitter, t.probe.lead, t.probe.error, t.probe.rollbacks]) assert.ok(Number.isNaN(s.value()));
  t.stats.prediction = { states: 10, mispredicted: 1, replayed: 4, error: 0.5 };
  t.run(200);
  assert.equal(t.probe.error.value(), 0.5);
});

test("another host is reckoned up by the match: behind the same socket, and on a new one", async () => {
  const h = new Harness();
  const match = await h.join();
  h.time.advance(10);
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }), frame(101, { blocks: [moved(1, 1)] }));
  assert.equal(match.stats.takeover, undefined);
  h.time.advance(700);
  h.socket.say(frame(96, { epoch: 8, blocks: [keyframe([[5, "a", 1]], 90)] }));
  assert.deepEqual(match.stats.takeover, { count: 1, pausedMs: 700, rolledBackTicks: 5 });
  h.time.advance(50);
  h.socket.say(frame(97, { epoch: 8 }));
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ epoch: 9, tick: 99 });
  h.time.advance(200);
  h.socket.say(frame(99, { epoch: 9, blocks: [keyframe([[5, "a", 1]], 90)] }));
  assert.deepEqual(match.stats.takeover, { count: 2, pausedMs: 250, rolledBackTicks: 0 });
  match.close();
});
