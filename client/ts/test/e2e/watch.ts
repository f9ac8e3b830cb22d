// One who plays and two who watch him late, at a real server: internal/e2e says its address and the delay in seconds.

import assert from "node:assert/strict";
import { APIError, Lobby, type LobbyOptions, Match } from "../../src/index.js";

const url = process.argv[2]!;
const delay = Number(process.argv[3]) * 1000;

const webSocket: NonNullable<LobbyOptions["webSocket"]> = (address, protocols) =>
  new WebSocket(address, { protocols, headers: { Origin: url } } as never);

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function guest(name: string): Promise<Lobby> {
  const lobby = new Lobby(url, { webSocket });
  await lobby.guest(name);
  return lobby;
}

/** Makes a room, once the server takes one: a busy machine may have to catch up first. */
async function room(lobby: Lobby, open: boolean) {
  for (const until = performance.now() + 30_000; ; await sleep(500)) {
    try {
      return await lobby.rooms.create({ game: "arena", public: open, config: { bots: 7 } });
    } catch (e) {
      if (!(e instanceof APIError) || !e.temporary || performance.now() > until) throw e;
    }
  }
}

const alice = await guest("alice");
const made = await room(alice, true);
const played = await Match.connect(made.match, { webSocket });

const walter = await guest("walter");
const began = performance.now();
const early = await Match.connect(await walter.rooms.spectate(made.room.id), { webSocket });
assert.equal(early.info.seat, 0);
assert.equal(early.view(), undefined, "nothing is old enough");
while (!early.view() && performance.now() - began < delay + 20_000) await sleep(20);
assert.ok(early.view(), "the match is shown");
assert.ok(performance.now() - began > delay - 1000, `and not sooner than it may be: ${performance.now() - began} ms`);

const wilma = await guest("wilma");
const asked = performance.now();
const late = await Match.connect(await wilma.rooms.spectate(made.room.id), { webSocket });
while (!late.view() && performance.now() - asked < 10_000) await sleep(20);
assert.ok(late.view(), "who comes later sees the match at once");
await sleep(2000);

for (const match of [early, late]) {
  const first = match.view()!.tick;
  const at = performance.now();
  let last = first;
  for (let n = 0; n < 60; n++) {
    await sleep(50);
    const { tick, tables } = match.view()!;
    assert.ok(tick >= last, `time goes on: ${last} to ${tick}`);
    last = tick;
    assert.equal((tables as Record<string, ReadonlyMap<number, unknown>>).Ships!.size, 8);
  }
  const behind = (played.serverTick() - match.serverTick()) * 50 - delay;
  assert.ok(Math.abs(behind) < 1000, `it is shown ${behind} ms later than the delay`);
  const rate = (last - first) / ((performance.now() - at) / 1000);
  assert.ok(rate > 15 && rate < 25, `${rate} ticks a second are shown`);
  const { decodeErrors, hashMismatches, resyncs, eventGaps, rttMs, frames } = match.stats;
  assert.deepEqual([decodeErrors, hashMismatches, resyncs, eventGaps], [0, 0, 0, 0]);
  assert.ok(frames > 40 && rttMs > 0, `${frames} frames, ${rttMs} ms`);
}

const hidden = await room(alice, false);
await assert.rejects(walter.rooms.spectate(hidden.room.id), (e) => e instanceof APIError && e.status === 404);
for (const match of [early, late, played]) match.close();
process.exit(0);
