import assert from "node:assert/strict";
import { test } from "node:test";

import { APIError, type Lobby, type MatchSeat, TicketError } from "@muster/client";
import { explain, takeSeat, waiting } from "./seating.ts";
import type { Way } from "./ways.ts";

const players: Way = { kind: "players" };
const seat: MatchSeat = { room: "r1", url: "ws://host/v1/match", token: "t" };

/** A lobby that notes what is asked of it. */
function lobby(wait: (signal: AbortSignal) => Promise<MatchSeat>, token = "", good: (token: string) => boolean = () => true, refused: Promise<never>[] = []) {
  const calls: string[] = [];
  const fake = {
    token,
    guest: (name: string) => {
      calls.push(`guest ${name}`);
      fake.token = "g";
      return Promise.resolve();
    },
    createTicket: (queue: string) => {
      calls.push(`ticket ${queue}`);
      if (!good(fake.token)) return Promise.reject(new APIError(401, { title: "Unauthorized" }, null));
      return Promise.resolve({ id: "t1" });
    },
    waitTicket: (id: string, o: { signal: AbortSignal; onWait: (t: { reason?: string }) => void }) => {
      calls.push(`wait ${id}`);
      o.onWait({ reason: "one more player is needed" });
      return wait(o.signal);
    },
    cancelTicket: (id: string) => {
      calls.push(`cancel ${id}`);
      return Promise.reject(new Error("it is gone"));
    },
    rooms: {
      create: (room: object) => {
        calls.push(`create ${JSON.stringify(room)}`);
        return refused.shift() ?? Promise.resolve({ match: seat, room: { code: "KFR7WQ" } });
      },
      joinCode: (code: string) => {
        calls.push(`join ${code}`);
        return Promise.resolve(seat);
      },
    },
  };
  return { calls, lobby: fake as unknown as Lobby };
}

test("a new player becomes a guest, takes a ticket and waits for a seat", async () => {
  const { calls, lobby: l } = lobby(() => Promise.resolve(seat));
  const said: string[] = [];
  assert.deepEqual(await takeSeat(l, "Ada", players, new AbortController().signal, (text) => said.push(text)), { seat, code: "" });
  assert.deepEqual(calls, ["guest Ada", "ticket arena", "wait t1"]);
  assert.deepEqual(said, ["Signing in …", "Finding a match …", "One more player is needed."]);
});

test("a player with a token stays the same player", async () => {
  const { calls, lobby: l } = lobby(() => Promise.resolve(seat), "mine");
  await takeSeat(l, "Ada", players, new AbortController().signal, () => undefined);
  assert.deepEqual(calls, ["ticket arena", "wait t1"]);
});

test("a token that is no longer good is replaced, once", async () => {
  const { calls, lobby: l } = lobby(() => Promise.resolve(seat), "old", (token) => token !== "old");
  await takeSeat(l, "Ada", players, new AbortController().signal, () => undefined);
  assert.deepEqual(calls, ["ticket arena", "guest Ada", "ticket arena", "wait t1"]);

  const barred = lobby(() => Promise.resolve(seat), "old", () => false);
  await assert.rejects(takeSeat(barred.lobby, "Ada", players, new AbortController().signal, () => undefined), { status: 401 });
  assert.deepEqual(barred.calls, ["ticket arena", "guest Ada", "ticket arena"]);
});

test("who gives up waiting gives the ticket back", async () => {
  const stop = new AbortController();
  const { calls, lobby: l } = lobby(() => {
    stop.abort();
    return Promise.reject(new DOMException("stopped", "AbortError"));
  });
  await assert.rejects(takeSeat(l, "Ada", players, stop.signal, () => undefined), { name: "AbortError" });
  assert.deepEqual(calls, ["guest Ada", "ticket arena", "wait t1", "cancel t1"]);
});

test("a ticket that failed by itself is not given back", async () => {
  const { calls, lobby: l } = lobby(() => Promise.reject(new Error("ticket t1 is expired")));
  await assert.rejects(takeSeat(l, "Ada", players, new AbortController().signal, () => undefined), /expired/);
  assert.deepEqual(calls, ["guest Ada", "ticket arena", "wait t1"]);
});

test("each way leads to its own room", async () => {
  const ways: [Way, string][] = [
    [{ kind: "bots", bots: 5 }, 'create {"game":"arena","config":{"bots":5}}'],
    [{ kind: "friends", code: "" }, 'create {"game":"arena","config":{}}'],
    [{ kind: "friends", code: "KFR7WQ" }, "join KFR7WQ"],
  ];
  for (const [way, want] of ways) {
    const { calls, lobby: l } = lobby(() => Promise.resolve(seat));
    const got = await takeSeat(l, "Ada", way, new AbortController().signal, () => undefined);
    assert.deepEqual(got, { seat, code: "KFR7WQ" });
    assert.deepEqual(calls, ["guest Ada", want]);
  }
  const { calls, lobby: l } = lobby(() => Promise.resolve(seat), "mine");
  await takeSeat(l, "Ada", { kind: "crowd" }, new AbortController().signal, () => undefined);
  assert.deepEqual(calls, ["ticket crowd", "wait t1"]);
});

test("a server that is too busy is asked again when it says so, a few times", async () => {
  const busy = new APIError(503, { detail: "the servers take no new matches now" }, "5");
  const waited: number[] = [];
  const said: string[] = [];
  const pause = (ms: number) => Promise.resolve(void waited.push(ms));
  const go = (times: number) => {
    const refused = Array.from({ length: times }, () => Promise.reject(busy));
    for (const r of refused) r.catch(() => undefined); // it may be that nobody gets to hear of it
    const { lobby: l } = lobby(() => Promise.resolve(seat), "", () => true, refused);
    return takeSeat(l, "Ada", { kind: "bots", bots: 5 }, new AbortController().signal, (t) => said.push(t), 0, pause);
  };
  assert.deepEqual(await go(2), { seat, code: "KFR7WQ" });
  assert.deepEqual(waited, [5000, 5000]);
  assert.ok(said.includes("The servers take no new matches now: try again in 5 s."));
  await assert.rejects(go(4), busy);
  assert.equal(waited.length, 5, "three times more, then no more");
});

test("who waits is told why, and after a while for how long", () => {
  assert.equal(waiting(undefined, 0), "Finding a match …");
  assert.equal(waiting({ reason: "2 of the 4 players are here" }, 1), "2 of the 4 players are here.");
  assert.equal(waiting({ reason: "2 of the 4 players are here" }, 12.4), "2 of the 4 players are here. 12 s");
});

test("errors are explained in words", () => {
  const api = (status: number, body: object, retry: string | null = null) => new APIError(status, body, retry);
  assert.equal(explain(api(503, { title: "Unavailable", detail: "no node takes rooms" })), "No node takes rooms.");
  assert.equal(explain(api(503, { detail: "no node takes rooms" }, "5")), "No node takes rooms: try again in 5 s.");
  assert.equal(explain(api(429, { title: "Too many requests" })), "Too many requests.");
  assert.equal(explain(api(502, {})), "The server answered 502.");
  assert.equal(
    explain(api(422, { detail: "validation failed", errors: [{ message: "expected length <= 24", location: "body.name" }] })),
    "Validation failed: expected length <= 24.",
  );
  assert.equal(explain(new TicketError("t1", "expired")), "Nobody came to play in time.");
  assert.equal(explain(new TicketError("t1", "cancelled")), "Ticket t1 is cancelled.");
  assert.equal(explain(new TypeError("Failed to fetch")), "The server does not answer. Is the network there?");
  assert.equal(explain(undefined), "Something went wrong, and nobody said what.");
  assert.equal(explain(new Error("")), "Something went wrong, and nobody said what.");
});
