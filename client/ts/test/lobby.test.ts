import assert from "node:assert/strict";
import { test } from "node:test";
import { APIError, Lobby, type LobbyOptions, MalformedError, TicketError } from "../src/index.js";
import { FakeTime } from "./fake_time.js";

type Reply = [status: number, body?: unknown, headers?: Record<string, string>] | Error;

/** A lobby whose server gives these replies, one after the other, and the requests that it got. */
function fake(options: LobbyOptions, ...replies: Reply[]) {
  const requests: { line: string; headers: Record<string, string>; body: unknown; init: RequestInit }[] = [];
  const time = new FakeTime();
  const lobby = new Lobby("https://play.example/", {
    fetch: async (input, init) => {
      requests.push({
        line: `${init?.method} ${(input as string).replace("https://play.example/v1/", "")}`,
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
    now: time.now,
    random: () => 0.5,
    ...options,
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

const unauthorized: Reply = [401, { title: "Unauthorized", detail: "a valid player token is needed" }];

test("a guest's token is kept and sent from then on", async () => {
  const { lobby, requests } = fake({}, [201, guest], [201, ticket]);
  assert.equal(lobby.token, "");
  assert.deepEqual(await lobby.guest("alice"), guest);
  assert.equal(lobby.token, "t");
  assert.deepEqual(await lobby.createTicket("arena"), ticket);
  assert.deepEqual(requests.map((r) => [r.line, r.body, r.headers["Authorization"], r.headers["Content-Type"]]), [
    ["POST guests", { name: "alice" }, undefined, "application/json"],
    ["POST tickets", { queue: "arena" }, "Bearer t", "application/json"],
  ]);
  assert.ok(requests.every((r) => r.init.redirect === "error"));
});

test("a guest goes on with an earlier token where the server lets him, else he is another", async () => {
  const renewed = { ...guest, token: "t2" };
  const { lobby, requests } = fake({}, [200, renewed], unauthorized, [201, guest], [503, {}], new TypeError("fetch failed"));
  assert.deepEqual(await lobby.guest("alice", { token: "t1" }), renewed);
  assert.equal(lobby.token, "t2");
  assert.deepEqual(await lobby.guest("alice", { token: "too old" }), guest);
  assert.equal(lobby.token, "t");
  await assert.rejects(lobby.guest("alice", { token: "t" }), (e) => e instanceof APIError && e.status === 503);
  await assert.rejects(lobby.guest("alice", { token: "t" }), /fetch failed/);
  assert.equal(lobby.token, "t");
  assert.deepEqual(requests.map((r) => [r.line, r.body]), [
    ["POST guests/renew", { token: "t1" }], ["POST guests/renew", { token: "too old" }], ["POST guests", { name: "alice" }],
    ["POST guests/renew", { token: "t" }], ["POST guests/renew", { token: "t" }],
  ]);
});

test("a token that has ended is renewed once, and all calls that wait for that are made again", async () => {
  const { lobby, requests } = fake({}, [201, guest], unauthorized, unauthorized, [200, { ...guest, token: "t2" }], [200, ticket], [200, ticket], [200, ticket]);
  await lobby.guest("alice");
  await Promise.all([lobby.cancelTicket("a"), lobby.cancelTicket("b")]);
  await lobby.cancelTicket("c");
  assert.deepEqual(requests.map((r) => [r.line, r.headers["Authorization"]]).slice(1), [
    ["DELETE tickets/a", "Bearer t"], ["DELETE tickets/b", "Bearer t"], ["POST guests/renew", "Bearer t"],
    ["DELETE tickets/a", "Bearer t2"], ["DELETE tickets/b", "Bearer t2"], ["DELETE tickets/c", "Bearer t2"],
  ]);
});

test("a call whose token is refused ends with that, whatever becomes of the newer one", async () => {
  const is401 = (cause?: RegExp) => (e: unknown) => {
    assert.ok(e instanceof APIError && e.status === 401 && !e.temporary);
    if (cause) assert.match(String(e.cause), cause);
    else assert.equal(e.cause, undefined);
    return true;
  };
  await assert.rejects(fake({ token: "t" }, unauthorized).lobby.me(), is401()); // there is no way to a newer one
  await assert.rejects(fake({ refresh: async () => "never asked" }, unauthorized).lobby.me(), is401()); // there is no player
  const again = fake({ token: "t", refresh: async () => "t2" }, unauthorized, unauthorized);
  await assert.rejects(again.lobby.me(), is401());
  assert.equal(again.lobby.token, "t2");
  for (const [answer, cause] of [[Promise.reject(new Error("logged out")), /logged out/], [Promise.resolve(""), /no newer token/], [Promise.resolve(5), /no newer token/]] as const) {
    answer.catch(() => {});
    const { lobby } = fake({ token: "t", refresh: () => answer as Promise<string> }, unauthorized);
    await assert.rejects(lobby.me(), is401(cause));
    assert.equal(lobby.token, "t");
  }
  await assert.rejects(fake({ token: "t" }).lobby.refresh(), /no newer token/);
});

test("waiting asks again until there is a match", async () => {
  const waits: string[] = [];
  const { lobby, requests, time } = fake({}, [200, { ...ticket, reason: "1 of 2" }], [200, ticket], [200, { ...ticket, state: "matched", match: seat }]);
  const got = await waited(time, lobby.waitTicket("arena.1/x", { onWait: (t) => waits.push(t.reason ?? "") }));
  assert.deepEqual(got, seat);
  assert.deepEqual(waits, ["1 of 2", ""]);
  assert.deepEqual(requests.map((r) => r.line), Array(3).fill("GET tickets/arena.1%2Fx?wait=10s&known=waiting"));
  assert.equal(requests[0]!.body, undefined);
});

test("a match that is to be confirmed is told, and waited for from there", async () => {
  const asking = { ...ticket, state: "confirming", confirm: { players: 2, accepted: 0, mine: false, until: "2030-01-01T00:00:10Z" } };
  const { lobby, requests, time } = fake({}, [200, asking], [200, { ...asking, confirm: { ...asking.confirm, mine: true } }],
    [200, { ...ticket, state: "matched", match: seat }]);
  const confirmed: Promise<unknown>[] = [];
  const waiting = lobby.waitTicket("arena.1", { onWait: (t) => { if (t.confirm && !t.confirm.mine) confirmed.push(lobby.confirmTicket(t.id, true)); } });
  assert.deepEqual(await waited(time, waiting), seat);
  assert.equal(((await confirmed[0]) as typeof asking).confirm.mine, true);
  assert.deepEqual(requests.map((r) => [r.line, r.body]), [
    ["GET tickets/arena.1?wait=10s&known=waiting", undefined],
    ["POST tickets/arena.1/confirm", { accept: true }],
    ["GET tickets/arena.1?wait=10s&known=confirming", undefined],
  ]);
});

test("a lobby that does not wait is asked ten times a second at most", async () => {
  const { lobby, requests, time } = fake({}, [200, ticket], [200, { ...ticket, state: "matched", match: seat }]);
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

test("a wait goes on over a lobby that is gone for less than 30 s, and one that has too much to do", async () => {
  const { lobby, requests, time } = fake({}, [200, ticket], new TypeError("fetch failed"), [503, {}], [429, {}, { "Retry-After": "7" }], [200, ticket],
    [200, { ...ticket, state: "matched", match: seat }]);
  let told = 0;
  const at: number[] = [];
  const waiting = lobby.waitTicket("arena.1", { onWait: () => told++ });
  waiting.catch(() => {});
  for (let n = 0; n < 200 && requests.length < 6; n++) {
    for (const before = requests.length; at.length < before;) at.push(time.now());
    await settle();
    time.advance(100);
  }
  assert.deepEqual(await waiting, seat);
  assert.equal(told, 2);
  assert.ok(at[4]! - at[3]! >= 7000, `after 429 it waited ${at[4]! - at[3]!} ms`);
});

test("a wait ends with what is wrong when the lobby stays away", async () => {
  const { lobby, requests, time } = fake({}, ...Array.from({ length: 50 }, () => new TypeError("fetch failed")));
  const began = time.now();
  await assert.rejects(waited(time, lobby.waitTicket("arena.1")), /fetch failed/);
  assert.ok(time.now() - began >= 30_000 && time.now() - began < 32_000, `after ${time.now() - began} ms`);
  assert.ok(requests.length > 20 && requests.length < 40, `${requests.length} requests`);
  assert.equal(time.next, undefined, "no timer is left");
});

test("a wait goes on over a connection that leads nowhere, and not for ever", async () => {
  let there = 0; // from which request on the lobby answers
  let asked = 0;
  const { lobby, time } = fake({
    fetch: (url, init) => ++asked < there ? unanswered(url, init) : Promise.resolve(Response.json({ ...ticket, state: "matched", match: seat })),
  });
  there = 2;
  let began = time.now();
  assert.deepEqual(await waited(time, lobby.waitTicket("arena.1")), seat);
  assert.ok(time.now() - began > 12_000 && time.now() - began < 20_000, `after ${time.now() - began} ms`);
  [there, asked, began] = [Infinity, 0, time.now()];
  await assert.rejects(waited(time, lobby.waitTicket("arena.1")), /does not answer/);
  assert.ok(time.now() - began >= 30_000 && time.now() - began < 60_000 && asked >= 3, `${asked} requests in ${time.now() - began} ms`);
  assert.equal(time.next, undefined, "no timer is left");
});

test("a ticket that ends without a match is a TicketError", async () => {
  for (const state of ["cancelled", "expired", "matched"]) {
    const { lobby } = fake({}, [200, { ...ticket, state, reason: "nobody came" }]);
    await assert.rejects(lobby.waitTicket("arena.1"), (e) =>
      e instanceof TicketError && e.state === state && e.id === "arena.1" && e.reason === "nobody came" && e.message.endsWith("nobody came"));
  }
});

test("waiting ends with its signal", async () => {
  const abort = new AbortController();
  const { lobby, requests, time } = fake({}, [200, ticket], [200, ticket]);
  const waiting = lobby.waitTicket("arena.1", { signal: abort.signal });
  waiting.catch(() => {});
  await settle();
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal(time.next, undefined, "no timer is left");
  assert.equal(requests.length, 1);
  await assert.rejects(lobby.waitTicket("arena.1", { signal: abort.signal }), /enough/);
  assert.equal(requests.length, 1);
});

/** Makes requests that are not answered, but end with their signals. */
const unanswered: typeof fetch = (_, init) => new Promise((_, reject) => {
  init?.signal?.addEventListener("abort", () => reject(init.signal!.reason));
});

test("a call ends with its signal, and when the lobby has not answered for 30 s", async () => {
  const { lobby, time } = fake({ fetch: unanswered });
  const abort = new AbortController();
  const call = lobby.me({ signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  assert.equal(time.next, undefined, "no timer is left");
  const silent = lobby.me();
  silent.catch(() => {});
  time.advance(29_999);
  assert.equal(time.next, 1);
  time.advance(1);
  await assert.rejects(silent, /does not answer/);
});

test("playing is a ticket, its progress and a seat", async () => {
  const told: unknown[] = [];
  const { lobby, requests, time } = fake({}, [201, ticket], [200, { ...ticket, reason: "1 of 2" }], [200, { ...ticket, state: "matched", match: seat }]);
  assert.deepEqual(await waited(time, lobby.play({ queue: "arena", party: true }, { key: "k", onProgress: (t) => told.push(t.reason) })), seat);
  assert.deepEqual(told, [undefined, "1 of 2"]);
  assert.deepEqual([requests[0]!.line, requests[0]!.body, requests[0]!.headers["Idempotency-Key"]], ["POST tickets", { queue: "arena", party: true }, "k"]);
});

test("who no longer wants to play gives the ticket up, but not one that has ended", async () => {
  const abort = new AbortController();
  const { lobby, requests } = fake({}, [201, ticket], [200, ticket], [200, { ...ticket, state: "cancelled" }]);
  const playing = lobby.play("arena", { signal: abort.signal });
  playing.catch(() => {});
  await settle();
  abort.abort(new Error("enough"));
  await assert.rejects(playing, /enough/);
  await settle();
  assert.deepEqual(requests.map((r) => r.line), ["POST tickets", "GET tickets/arena.1?wait=10s&known=waiting", "DELETE tickets/arena.1"]);
  const over = fake({}, [201, ticket], [200, { ...ticket, state: "expired" }]);
  await assert.rejects(over.lobby.play("arena"), TicketError);
  await settle();
  assert.equal(over.requests.length, 2);
});

test("who no longer wants to play while the ticket is being made gives it up when it is there", async () => {
  const abort = new AbortController();
  let answer: ((r: Response) => void) | undefined;
  const lines: string[] = [];
  const { lobby, time } = fake({
    fetch: (url, init) => {
      lines.push(`${init?.method} ${String(url).replace("https://play.example/v1/", "")}`);
      if (init?.method === "DELETE") return Promise.resolve(Response.json({ ...ticket, state: "cancelled" }));
      return new Promise((resolve, reject) => {
        answer = resolve;
        init?.signal?.addEventListener("abort", () => reject(init.signal!.reason));
      });
    },
  });
  const playing = lobby.play("arena", { signal: abort.signal });
  playing.catch(() => {});
  await settle();
  abort.abort(new Error("enough"));
  await assert.rejects(playing, /enough/);
  assert.deepEqual(lines, ["POST tickets"]);
  answer!(Response.json(ticket, { status: 201 }));
  await settle();
  assert.deepEqual(lines, ["POST tickets", "DELETE tickets/arena.1"]);
  assert.equal(time.next, undefined, "no timer is left");
  await assert.rejects(lobby.play("arena", { signal: abort.signal }), /enough/);
  assert.equal(lines.length, 2, "nothing is asked for any more");
});

test("the other calls go where they should", async () => {
  const result = { room: "r", game: "arena", tick: 9, placements: [], ended_at: "2030-01-01T00:00:00Z" };
  const { lobby, requests } = fake({}, [200, ticket], [200, seat], [200, result], [200, { fitting: 1 }], [200, { queues: [] }], [200, { player: "a" }], [200, { matches: [] }], [200, { matches: [] }]);
  assert.equal(await lobby.cancelTicket("arena.1"), undefined);
  assert.deepEqual(await lobby.rejoin("r?"), seat);
  assert.deepEqual(await lobby.result("r"), result);
  assert.deepEqual(await lobby.explain("arena.1"), { fitting: 1 });
  assert.deepEqual(await lobby.queues(), []);
  assert.deepEqual(await lobby.me(), { player: "a" });
  await lobby.matches();
  await lobby.matches({ limit: 5, cursor: "c=", later: undefined } as object);
  assert.deepEqual(requests.map((r) => r.line), [
    "DELETE tickets/arena.1", "POST rooms/r%3F/rejoin", "GET matches/r", "GET tickets/arena.1/explain", "GET queues", "GET me",
    "GET me/matches", "GET me/matches?limit=5&cursor=c%3D",
  ]);
});

test("rooms are listed, made, joined and watched", async () => {
  const made = { room: { id: "r", code: "ABCDEF" }, match: seat };
  const { lobby, requests } = fake({}, [200, { rooms: [] }], [201, made], [200, { id: "r" }], [200, seat], [200, seat], [200, seat], [200, seat], [200, { id: "r" }], [204]);
  await lobby.rooms.list({ game: "arena", tag: ["a:1", "b:2"], open_seats: 1 });
  assert.deepEqual(await lobby.rooms.create({ game: "arena", config: { bots: 8 }, public: true }, { key: "k" }), made);
  await lobby.rooms.get("r");
  for (const got of [lobby.rooms.join("r"), lobby.rooms.joinCode("ABCDEF"), lobby.rooms.joinNamed("canvas", "a b"), lobby.rooms.spectate("r")]) {
    assert.deepEqual(await got, seat);
  }
  await lobby.rooms.change("r", { title: "t" });
  assert.equal(await lobby.rooms.close("r"), undefined);
  assert.deepEqual(requests.map((r) => [r.line, r.body]), [
    ["GET rooms?game=arena&tag=a%3A1&tag=b%3A2&open_seats=1", undefined], ["POST rooms", { game: "arena", config: { bots: 8 }, public: true }],
    ["GET rooms/r", undefined], ["POST rooms/r/join", {}], ["POST codes/ABCDEF/join", {}], ["POST games/canvas/rooms/a%20b/join", {}],
    ["POST rooms/r/spectate", {}], ["PATCH rooms/r", { title: "t" }], ["DELETE rooms/r", undefined],
  ]);
  assert.equal(requests[1]!.headers["Idempotency-Key"], "k");
});

test("a party's calls are about the party that the player is in", async () => {
  const party = { id: "p1", code: "ABCDEF" };
  const { lobby, requests } = fake({}, [201, party], [201, party], [200, party], [204], [200, { id: "p2" }], [200, party], [404, {}], [200, party], [200, party], [200, { id: 5 }]);
  assert.deepEqual(await lobby.parties.create(4), party);
  await lobby.parties.create();
  await lobby.parties.invite("bob");
  await lobby.parties.ready();
  await assert.rejects(lobby.parties.leave(), (e) => e instanceof APIError && e.status === 404);
  await lobby.parties.join("abcdef");
  await lobby.parties.accept("p3");
  await assert.rejects(lobby.parties.kick("bob"), MalformedError);
  assert.deepEqual(requests.map((r) => [r.line, r.body]), [
    ["POST parties", { max: 4 }], ["POST parties", {}], ["GET me/party", undefined], ["POST parties/p1/invite", { player: "bob" }],
    ["GET me/party", undefined], ["POST parties/p2/ready", { ready: true }], ["GET me/party", undefined],
    ["POST parties/join", { code: "abcdef" }], ["POST parties/p3/join", {}], ["GET me/party", undefined],
  ]);
});

test("any route can be called by its name", async () => {
  const { lobby, requests } = fake({}, [200, { player: "a" }], [204], [200, { messages: [] }]);
  await lobby.request("PUT /v1/me", { status: "hi" });
  await lobby.request("PUT /v1/me/blocks/{player}", { player: "b/c" });
  await lobby.request("GET /v1/chat/{channel}/messages", { channel: "group:g", limit: 2 });
  assert.deepEqual(requests.map((r) => [r.line, r.body]), [
    ["PUT me", { status: "hi" }], ["PUT me/blocks/b%2Fc", {}], ["GET chat/group%3Ag/messages?limit=2", undefined],
  ]);
});

test("a refusal is an APIError with the problem's words", async () => {
  const problem = {
    title: "Unprocessable Entity", status: 422, detail: "validation failed",
    errors: [{ message: "expected length <= 24", location: "body.name", value: "a name that is long" }, { message: "m", location: "l" }],
  };
  const { lobby } = fake({}, [422, problem, { "Retry-After": "7" }]);
  await assert.rejects(lobby.guest("alice"), (e) => {
    assert.ok(e instanceof APIError);
    const { status, title, detail, errors, retryAfterMs, temporary } = e;
    assert.deepEqual({ status, title, detail, errors, retryAfterMs, temporary }, { ...problem, retryAfterMs: 7000, temporary: false });
    assert.equal(e.message, "the lobby answered 422: validation failed; body.name: expected length <= 24; l: m");
    return true;
  });
  assert.equal(lobby.token, "");
});

test("a refusal of any other form is an APIError too", async () => {
  for (const [body, headers] of [
    ["<html>", {}], [undefined, {}], [[1], { "Retry-After": "soon" }], [{ title: 5, errors: [null, 1] }, { "Retry-After": "-1" }],
    ['"text"', {}],
  ] as [unknown, Record<string, string>][]) {
    const { lobby } = fake({}, [503, body, headers]);
    await assert.rejects(lobby.result("r"), (e) => e instanceof APIError && e.status === 503 && e.retryAfterMs === 0 && e.temporary);
  }
  const { lobby } = fake({}, [429, {}, { "Retry-After": "9999" }]);
  await assert.rejects(lobby.result("r"), (e) => e instanceof APIError && e.retryAfterMs === 60_000);
});

test("a reply that is none is a MalformedError, and a lost lobby what fetch says", async () => {
  const { lobby } = fake({},
    [200, "<html>"], [200, "5"], [200, { ...guest, token: 1 }], [200, { ...seat, url: null }], [200, "null"], [201, { room: {} }], [200, { ...ticket, state: 7 }],
    [200, "x".repeat((256 << 10) + 1)], new TypeError("fetch failed"),
  );
  const malformed = (call: Promise<unknown>) => assert.rejects(call, MalformedError);
  await malformed(lobby.result("r"));
  await malformed(lobby.result("r"));
  await malformed(lobby.guest("a"));
  await malformed(lobby.rejoin("r"));
  await malformed(lobby.queues());
  await malformed(lobby.rooms.create({ game: "arena" }));
  await malformed(lobby.waitTicket("arena.1"));
  await assert.rejects(lobby.result("r"), /more than 262144 bytes/);
  await assert.rejects(lobby.result("r"), /fetch failed/);
  assert.equal(lobby.token, "");
});

test("an error does not name the token", async () => {
  const { lobby } = fake({}, [500, { detail: "broken" }], new TypeError("fetch failed"));
  lobby.token = "very-secret";
  for (let i = 0; i < 2; i++) {
    await assert.rejects(lobby.rejoin("r"), (e) => !String((e as Error).stack).includes("very-secret"));
  }
});

test("arguments that cannot be written reject, and leave no timer behind", async () => {
  const { lobby, requests, time } = fake({});
  await assert.rejects(lobby.rooms.list({ game: "\ud800" }), URIError);
  await assert.rejects(lobby.rooms.create({ game: "arena", config: { bots: 8n } }), TypeError);
  assert.equal(time.next, undefined);
  assert.deepEqual(requests, []);
});

test("who does not become a guest still gets newer tokens as before", async () => {
  const { lobby, requests } = fake({ token: "t1", refresh: async () => "t2" }, [404, { title: "Not Found" }], unauthorized, [200, ticket]);
  await assert.rejects(lobby.guest("alice"), (e) => e instanceof APIError && e.status === 404);
  await lobby.cancelTicket("a");
  assert.deepEqual(requests.map((r) => r.headers["Authorization"]), ["Bearer t1", "Bearer t1", "Bearer t2"]);
});
