import assert from "node:assert/strict";
import { test } from "node:test";
import { APIError, Lobby, TicketError } from "../src/index.js";
import { FakeTime } from "./fake_time.js";

type Reply = [status: number, body?: unknown, headers?: Record<string, string>] | Error;

/** A lobby whose server gives these replies, one after the other, and the requests that it got. */
function fake(...replies: Reply[]) {
  const requests: { line: string; headers: Record<string, string>; body: unknown; init: RequestInit }[] = [];
  const time = new FakeTime();
  const lobby = new Lobby("https://play.example/", {
    fetch: async (input, init) => {
      requests.push({
        line: `${init?.method} ${input as string}`,
        headers: init?.headers as Record<string, string>,
        body: init?.body === undefined ? undefined : JSON.parse(init.body as string),
        init: init!,
      });
      const reply = replies.shift();
      if (!reply) throw new Error("a request too many");
      if (reply instanceof Error) throw reply;
      const [status, body, headers] = reply;
      return new Response(body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body), {
        status, ...(headers && { headers }),
      });
    },
    schedule: time.schedule,
  });
  return { lobby, requests, time };
}

/** Lets everything happen that waits for no time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the time on until a promise is settled, and gives that. */
async function waited<T>(time: FakeTime, promise: Promise<T>): Promise<T> {
  let waiting = true;
  const settled = promise.finally(() => (waiting = false));
  settled.catch(() => {});
  for (await settle(); waiting; await settle()) time.advance(100);
  return settled;
}

const guest = { token: "t", player: "guest-1", expires_at: "2030-01-01T00:00:00Z" };
const seat = { room: "r", url: "wss://n/v1/match/r", token: "s" };
const ticket = { id: "arena.1", queue: "arena", state: "waiting", created_at: "2030-01-01T00:00:00Z" };

test("a guest's token is kept and sent from then on", async () => {
  const { lobby, requests } = fake([201, guest], [201, ticket]);
  assert.equal(lobby.token, "");
  assert.deepEqual(await lobby.guest("alice"), guest);
  assert.equal(lobby.token, "t");
  assert.deepEqual(await lobby.createTicket("arena"), ticket);
  assert.deepEqual(requests.map((r) => [r.line, r.body, r.headers["Authorization"], r.headers["Content-Type"]]), [
    ["POST https://play.example/v1/guests", { name: "alice" }, undefined, "application/json"],
    ["POST https://play.example/v1/tickets", { queue: "arena" }, "Bearer t", "application/json"],
  ]);
  assert.ok(requests.every((r) => r.init.redirect === "error"));
});

test("waiting asks again until there is a match", async () => {
  const waits: string[] = [];
  const { lobby, requests, time } = fake([200, { ...ticket, reason: "1 of 2" }], [200, ticket], [200, { ...ticket, state: "matched", match: seat }]);
  const got = await waited(time, lobby.waitTicket("arena.1/x", { onWait: (t) => waits.push(t.reason ?? "") }));
  assert.deepEqual(got, seat);
  assert.deepEqual(waits, ["1 of 2", ""]);
  assert.deepEqual(requests.map((r) => r.line), Array(3).fill("GET https://play.example/v1/tickets/arena.1%2Fx?wait=10s"));
  assert.equal(requests[0]!.body, undefined);
});

test("a match that is to be confirmed is told, and waited for from there", async () => {
  const asking = { ...ticket, state: "confirming", confirm: { players: 2, accepted: 0, mine: false, until: "2030-01-01T00:00:10Z" } };
  const { lobby, requests, time } = fake([200, asking], [200, { ...asking, confirm: { ...asking.confirm, mine: true } }],
    [200, { ...ticket, state: "matched", match: seat }]);
  const confirmed: Promise<unknown>[] = [];
  const waiting = lobby.waitTicket("arena.1", { onWait: (t) => { if (t.confirm && !t.confirm.mine) confirmed.push(lobby.confirmTicket(t.id, true)); } });
  assert.deepEqual(await waited(time, waiting), seat);
  assert.equal(((await confirmed[0]) as typeof asking).confirm.mine, true);
  assert.deepEqual(requests.map((r) => [r.line.replace("https://play.example/v1/tickets/", ""), r.body]), [
    ["GET arena.1?wait=10s", undefined],
    ["POST arena.1/confirm", { accept: true }],
    ["GET arena.1?wait=10s&known=confirming", undefined],
  ]);
});

test("a lobby that does not wait is asked ten times a second at most", async () => {
  const { lobby, requests, time } = fake([200, ticket], [200, { ...ticket, state: "matched", match: seat }]);
  const waiting = lobby.waitTicket("arena.1");
  await settle();
  time.advance(99);
  await settle();
  assert.equal(requests.length, 1);
  time.advance(1);
  await waiting;
  assert.equal(requests.length, 2);
  assert.equal(time.next, undefined, "no timer is left");
});

test("a ticket that ends without a match is a TicketError", async () => {
  for (const state of ["cancelled", "expired", "matched"]) {
    const { lobby } = fake([200, { ...ticket, state }]);
    await assert.rejects(lobby.waitTicket("arena.1"), (e) => e instanceof TicketError && e.state === state && e.id === "arena.1");
  }
});

test("waiting ends with its signal", async () => {
  const abort = new AbortController();
  const { lobby, requests, time } = fake([200, ticket], [200, ticket]);
  const waiting = lobby.waitTicket("arena.1", { signal: abort.signal });
  waiting.catch(() => {});
  await settle();
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal(time.next, undefined, "no timer is left");
  assert.equal(requests.length, 1);
  assert.equal(requests[0]!.init.signal, abort.signal);
  await assert.rejects(lobby.waitTicket("arena.1", { signal: abort.signal }), /enough/);
  assert.equal(requests.length, 1);
});

test("the other calls go where they should", async () => {
  const result = { room: "r", game: "arena", tick: 9, placements: [], ended_at: "2030-01-01T00:00:00Z" };
  const { lobby, requests } = fake([204], [200, seat], [200, result]);
  assert.equal(await lobby.cancelTicket("arena.1"), undefined);
  assert.deepEqual(await lobby.rejoin("r?"), seat);
  assert.deepEqual(await lobby.result("r"), result);
  assert.deepEqual(requests.map((r) => r.line), [
    "DELETE https://play.example/v1/tickets/arena.1",
    "POST https://play.example/v1/rooms/r%3F/rejoin",
    "GET https://play.example/v1/matches/r",
  ]);
});

test("a refusal is an APIError with the problem's words", async () => {
  const problem = {
    title: "Unprocessable Entity", status: 422, detail: "validation failed",
    errors: [{ message: "expected length <= 24", location: "body.name" }],
  };
  const { lobby } = fake([422, problem, { "Retry-After": "7" }]);
  await assert.rejects(lobby.guest("alice"), (e) => {
    assert.ok(e instanceof APIError);
    const { status, title, detail, errors, retryAfterMs, temporary } = e;
    assert.deepEqual({ status, title, detail, errors, retryAfterMs, temporary }, { ...problem, retryAfterMs: 7000, temporary: false });
    assert.equal(e.message, "the lobby answered 422: validation failed; body.name: expected length <= 24");
    return true;
  });
  assert.equal(lobby.token, "");
});

test("a refusal of any other form is an APIError too", async () => {
  for (const [body, headers] of [
    ["<html>", {}], [undefined, {}], [[1], { "Retry-After": "soon" }], [{ title: 5, errors: [null, 1] }, { "Retry-After": "-1" }],
    ['"text"', {}],
  ] as [unknown, Record<string, string>][]) {
    const { lobby } = fake([503, body, headers]);
    await assert.rejects(lobby.result("r"), (e) => e instanceof APIError && e.status === 503 && e.retryAfterMs === 0 && e.temporary);
  }
  const { lobby } = fake([429, {}, { "Retry-After": "9999" }]);
  await assert.rejects(lobby.result("r"), (e) => e instanceof APIError && e.retryAfterMs === 60_000);
});

test("a reply that is none is a TypeError, and a lost lobby what fetch says", async () => {
  const { lobby } = fake(
    [200, "<html>"], [200, { ...guest, token: 1 }], [200, { ...seat, url: null }], [200, "x".repeat((256 << 10) + 1)], new TypeError("fetch failed"),
  );
  await assert.rejects(lobby.result("r"), TypeError);
  await assert.rejects(lobby.guest("a"), TypeError);
  await assert.rejects(lobby.rejoin("r"), TypeError);
  await assert.rejects(lobby.result("r"), /more than 262144 bytes/);
  await assert.rejects(lobby.result("r"), /fetch failed/);
  assert.equal(lobby.token, "");
});

test("an error does not name the token", async () => {
  const { lobby } = fake([500, { detail: "broken" }], new TypeError("fetch failed"));
  lobby.token = "very-secret";
  for (let i = 0; i < 2; i++) {
    await assert.rejects(lobby.rejoin("r"), (e) => !String((e as Error).stack).includes("very-secret"));
  }
});
