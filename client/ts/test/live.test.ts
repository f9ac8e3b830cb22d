import assert from "node:assert/strict";
import { test } from "node:test";
import { APIError, CloseError, type CloseInfo, type Live, type LiveOptions, Lobby, type LobbyOptions } from "../src/index.js";
import { FakeTime } from "./fake_time.js";
import { random } from "./random.js";

const hello = { player: "alice", name: "Alice", time: "2030-01-01T00:00:00Z", last: "0-0/0-0", expires: 0 };
const unauthorized: [number, unknown] = [401, { title: "Unauthorized" }];

/** A lobby's side of a socket. */
class FakeSocket {
  binaryType = "";
  protocol = "muster.lobby.v1";
  onopen = () => {};
  onmessage = (_: { data: unknown }) => {};
  onclose = (_: { code: number; reason: string }) => {};
  onerror = () => {};
  readonly sent: { n?: number; do: string; body?: unknown }[] = [];
  closed = false;

  constructor(readonly url: string, readonly protocols: string[]) {}

  send(text: string): void {
    assert.ok(!this.closed, "sends on a socket that it has closed");
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  say(message: unknown): void {
    this.onmessage({ data: JSON.stringify(message) });
  }

  event(id: string, kind: string, body: unknown): void {
    this.say({ event: { id, kind, at: "2030-01-01T00:00:00Z", body } });
  }

  /** The requests, hello and pings aside. */
  get asked() {
    return this.sent.filter((m) => m.do !== "hello" && m.do !== "ping");
  }
}

/** A lobby whose sockets and replies the test makes, and all that its Live tells. */
class Hall {
  readonly time = new FakeTime();
  readonly sockets: FakeSocket[] = [];
  readonly replies: ([number, unknown, Record<string, string>?] | Error)[] = [];
  readonly requests: string[] = [];
  readonly told: unknown[] = [];
  readonly lobby: Lobby;
  live!: Live;

  constructor(options: LobbyOptions = {}) {
    this.lobby = new Lobby("https://play.example", {
      token: "t", schedule: this.time.schedule, now: this.time.now, random: () => 0.5,
      fetch: async (url, init) => {
        this.requests.push(`${init?.method} ${String(url).replace("https://play.example/v1/", "")}`);
        const reply = this.replies.shift() ?? new Error("a request too many");
        if (reply instanceof Error) throw reply;
        return new Response(JSON.stringify(reply[1]), { status: reply[0], ...(reply[2] && { headers: reply[2] }) });
      },
      webSocket: (url, protocols) => {
        const socket = new FakeSocket(url, protocols);
        this.sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      ...options,
    });
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** The lobby takes the newest socket. */
  accept(h: Partial<typeof hello> = {}): void {
    this.socket.onopen();
    this.socket.say({ hello: { ...hello, ...h } });
  }

  async open(o: LiveOptions = {}, h: Partial<typeof hello> = {}): Promise<Live> {
    const opening = this.lobby.live(o);
    this.accept(h);
    this.live = await opening;
    this.live.on("state", (s) => this.told.push(s));
    this.live.on("close", (info) => this.told.push(info.code));
    this.live.on("missed", () => this.told.push("missed"));
    this.live.on("event", (e) => this.told.push(e.id));
    this.time.advance(0);
    await settle();
    return this.live;
  }

  /** The newest socket ends, and the next one is opened, but not taken. */
  async lose(code = 1006, reason = ""): Promise<void> {
    const before = this.sockets.length;
    this.socket.onclose({ code, reason });
    for (let n = 0; n < 100 && this.sockets.length === before; n++) {
      this.time.advance(100);
      await settle();
    }
    assert.equal(this.sockets.length, before + 1, "no other socket is opened");
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("it says hello with the place it was given, and tells what happens by kind", async () => {
  const h = new Hall();
  const live = await h.open({ after: "1-0/0-0" });
  assert.equal(h.socket.url, "wss://play.example/v1/lobby");
  assert.deepEqual(h.socket.protocols, ["muster.lobby.v1", "bearer.t"]);
  assert.deepEqual(h.socket.sent, [{ do: "hello", body: { after: "1-0/0-0" } }]);
  assert.equal(live.hello.name, "Alice");
  assert.equal(live.state, "open");
  assert.equal(live.last, "1-0/0-0");
  const heard: string[] = [];
  live.on("chat", (m, e) => heard.push(`${m.from}: ${m.text} (${e.id})`));
  const undo = live.on("notification", (n) => heard.push(n.title));
  live.on("party", (p) => heard.push(`party ${p.event}`));
  live.on("ticket", (t) => heard.push(`ticket ${t.state}`));
  live.on("group", (g) => heard.push(`group ${g.title}`));
  live.on("presence", ({ player, state }) => heard.push(`${player} is ${state}`));
  h.socket.event("2-0/0-0", "chat", { from: "bob", text: "hi" });
  h.socket.event("3-0/0-0", "notification", { title: "Maintenance" });
  undo();
  undo();
  h.socket.event("4-0/0-0", "notification", { title: "not heard" });
  h.socket.event("5-0/0-0", "party", { event: "invited" });
  h.socket.event("6-0/0-0", "ticket", { state: "matched" });
  h.socket.event("7-0/0-0", "group", { title: "Friday" });
  h.socket.say({ presence: [{ player: "bob", state: "online" }, { player: "carol", state: "offline" }] });
  assert.deepEqual(heard, ["bob: hi (2-0/0-0)", "Maintenance", "party invited", "ticket matched", "group Friday", "bob is online", "carol is offline"]);
  assert.equal(live.last, "7-0/0-0");
});

test("what comes with the hello waits for listeners that are added when live has resolved", async () => {
  const h = new Hall();
  const opening = h.lobby.live();
  h.accept();
  h.socket.event("1-0/0-0", "chat", { text: "early" });
  const live = await opening;
  const heard: string[] = [];
  live.on("chat", ({ text }) => heard.push(text));
  assert.deepEqual(heard, []);
  h.time.advance(0);
  await settle();
  h.socket.event("2-0/0-0", "chat", { text: "late" });
  assert.deepEqual(heard, ["early", "late"]);
});

test("a lost socket is opened again after the last event, and nothing is told twice", async () => {
  const h = new Hall();
  const live = await h.open();
  h.socket.event("1-0/0-0", "chat", { text: "a" });
  await h.lose();
  assert.equal(live.state, "reconnecting");
  h.sockets[0]!.event("9-0/0-0", "chat", { text: "of a socket that is over" });
  h.accept();
  assert.deepEqual(h.socket.sent, [{ do: "hello", body: { after: "1-0/0-0" } }]);
  h.socket.event("1-0/0-0", "chat", { text: "a" }); // a lobby may say it again
  h.socket.event("2-0/0-0", "chat", { text: "b" });
  assert.deepEqual(h.told, ["1-0/0-0", "reconnecting", "open", "2-0/0-0"]);
});

test("it is told when events are gone, and goes on from there", async () => {
  const h = new Hall();
  const live = await h.open({ after: "1-0/0-0" });
  h.socket.say({ missed: true, last: "500-0/0-0" });
  assert.deepEqual(h.told, ["missed"]);
  assert.equal(live.last, "500-0/0-0");
  await h.lose();
  h.accept();
  assert.deepEqual(h.socket.sent, [{ do: "hello", body: { after: "500-0/0-0" } }]);
});

test("requests are answered by number, and refusals are APIErrors", async () => {
  const h = new Hall();
  const live = await h.open();
  const sent = live.chat.send("direct:bob", "hi");
  const history = live.chat.history("group:g", { limit: 2 });
  const confirmed = live.ask("ticket.confirm", { ticket: "a.1", accept: true });
  const [first, second, third] = h.socket.asked;
  assert.deepEqual([first!.do, second!.do, third!.do], ["chat.send", "chat.history", "ticket.confirm"]);
  assert.deepEqual(second!.body, { channel: "group:g", limit: 2 });
  const { key, ...body } = first!.body as Record<string, string>;
  assert.deepEqual(body, { channel: "direct:bob", text: "hi" });
  assert.match(key!, /^[ -~]{1,64}$/);
  h.socket.say({ re: third!.n, error: { title: "Conflict", status: 409, detail: "nobody asks", errors: [{ message: "m", location: "l" }], retry_after: 3 } });
  h.socket.say({ re: second!.n, ok: { messages: [] } });
  h.socket.say({ re: first!.n, ok: { id: "1-0", text: "hi" } });
  h.socket.say({ re: first!.n, ok: "again" });
  h.socket.say({ re: 77, ok: "never asked" });
  assert.deepEqual(await sent, { id: "1-0", text: "hi" });
  assert.deepEqual(await history, { messages: [] });
  await assert.rejects(confirmed, (e) => e instanceof APIError && e.status === 409 && e.detail === "nobody asks" && e.retryAfterMs === 3000 && e.errors.length === 1);
  live.chat.send("direct:bob", "hi").catch(() => {});
  assert.notEqual((h.socket.asked[3]!.body as { key: string }).key, key, "another message has another key");
  live.close();
  assert.equal(h.time.next, undefined, "no timer is left");
});

test("requests that were not answered are made again on the next socket, with the same key", async () => {
  const h = new Hall();
  const live = await h.open();
  const sent = live.chat.send("direct:bob", "hi");
  await h.lose();
  const history = live.chat.history("direct:bob");
  assert.equal(h.socket.sent.length, 0);
  h.accept();
  assert.deepEqual(h.socket.asked.map((m) => m.do), ["chat.send", "chat.history"]);
  assert.deepEqual(h.socket.asked[0], h.sockets[0]!.asked[0]);
  for (const m of h.socket.asked) h.socket.say({ re: m.n, ok: { of: m.do } });
  assert.deepEqual([await sent, await history], [{ of: "chat.send" }, { of: "chat.history" }]);
  await h.lose();
  h.accept();
  assert.deepEqual(h.socket.asked, [], "what was answered is not asked for again");
});

test("a request ends when no answer comes, and too large or too many are refused", async () => {
  const h = new Hall();
  const live = await h.open();
  await assert.rejects(live.chat.send("direct:bob", "é".repeat(5000)), RangeError);
  assert.equal(h.socket.asked.length, 0);
  const asked = Array.from({ length: 32 }, () => live.chat.history("direct:bob"));
  await assert.rejects(live.chat.history("direct:bob"), RangeError);
  for (let n = 0; n < 6; n++) { // the lobby is there, but answers none of them
    h.time.advance(5_000);
    h.socket.say({});
  }
  for (const a of asked) await assert.rejects(a, (e) => e instanceof CloseError && /chat.history.*no answer/.test(e.message));
  void live.chat.history("direct:bob").catch(() => {});
  assert.equal(h.socket.asked.length, 33, "there is room again");
});

test("who is watched is watched on each socket, also when the lobby is busy at first", async () => {
  const h = new Hall();
  const live = await h.open();
  const watching = live.watch(["bob"]);
  h.socket.say({ re: h.socket.asked[0]!.n, ok: { watched: 1 } });
  await watching;
  await h.lose();
  h.accept();
  assert.deepEqual(h.socket.asked.map((m) => m.body), [{ players: ["bob"] }]);
  h.socket.say({ re: h.socket.asked[0]!.n, error: { status: 429, retry_after: 2 } });
  await settle();
  h.time.advance(2_000);
  assert.deepEqual(h.socket.asked.map((m) => m.body), [{ players: ["bob"] }, { players: ["bob"] }]);
  const refused = live.watch([""]);
  h.socket.say({ re: h.socket.asked.at(-1)!.n, error: { status: 422 } });
  await assert.rejects(refused, (e) => e instanceof APIError && e.status === 422);
  h.socket.say({ re: h.socket.asked[1]!.n, ok: { watched: 1 } });
  await h.lose();
  h.accept();
  assert.deepEqual(h.socket.asked.map((m) => m.body), [{ players: ["bob"] }]);
});

test("the ranges of close codes decide what it does", async () => {
  for (const [code, again] of [
    [1001, true], [1005, true], [1006, true], [1011, true], [4001, true], [4002, true], [4003, true], [4004, true], [4199, true],
    [1000, false], [1002, false], [1007, false], [1008, false], [4200, false], [4205, false], [4401, false], [4403, false], [4406, false],
    [4426, false], [4429, false], [4999, false],
  ] as const) {
    const h = new Hall();
    const live = await h.open();
    const asked = live.chat.history("direct:bob");
    asked.catch(() => {});
    if (again) {
      await h.lose(code);
      assert.equal(live.state, "reconnecting", `after ${code}`);
      continue;
    }
    h.socket.onclose({ code, reason: "why" });
    assert.deepEqual(h.told, ["closed", code]);
    await assert.rejects(asked, (e) => e instanceof CloseError && e.info.code === code && e.info.reason === "why");
    await assert.rejects(live.chat.history("direct:bob"), CloseError);
    assert.equal(h.time.next, undefined, `no timer is left after ${code}`);
  }
});

test("a bye's code and pause count, not what the close frame says", async () => {
  const h = new Hall();
  const live = await h.open();
  h.socket.say({ bye: { code: 4002, reason: "leaving", after_ms: 3000 } });
  assert.ok(h.socket.closed);
  h.socket.onclose({ code: 1000, reason: "" });
  assert.equal(live.state, "reconnecting");
  h.time.advance(3_000);
  assert.equal(h.sockets.length, 1);
  h.time.advance(100);
  assert.equal(h.sockets.length, 2);
});

test("attempts come at random within a window that doubles up to five seconds, until the lobby is back", async () => {
  const h = new Hall({ token: "t" });
  await h.open();
  h.time.advance(10_000);
  h.socket.onclose({ code: 1006, reason: "" });
  const waits: number[] = [];
  for (let n = 0; n < 9; n++) {
    if (n > 0) {
      h.replies.push(new TypeError("fetch failed")); // what a request says of a socket that was refused
      if (n === 1) h.socket.onerror();
      await settle();
    }
    waits.push(h.time.next!);
    h.time.advance(h.time.next!);
    await settle();
  }
  assert.deepEqual(waits.slice(0, 8), [50, 100, 200, 400, 800, 1600, 2500, 2500]);
  h.replies.push([200, { player: "alice" }]);
  h.time.advance(2_500);
  await settle();
  h.accept();
  assert.equal(h.live.state, "open");
});

test("a lobby that takes sockets and drops them at once is asked less and less often", async () => {
  const h = new Hall();
  await h.open();
  const waits: number[] = [];
  for (let n = 0; n < 5; n++) {
    h.socket.onclose({ code: 1011, reason: "" });
    waits.push(h.time.next!);
    h.time.advance(h.time.next!);
    h.accept();
  }
  assert.deepEqual(waits, [50, 100, 200, 400, 800]);
  h.time.advance(6_000); // one that lives is a good one
  h.socket.onclose({ code: 1011, reason: "" });
  assert.equal(h.time.next, 50);
});

test("opening it fails with what is wrong: a refusal, a lobby that is gone, or a close", async () => {
  const refused = new Hall();
  refused.replies.push(unauthorized);
  const opening = refused.lobby.live();
  opening.catch(() => {});
  refused.socket.onerror();
  refused.time.advance(100);
  await assert.rejects(opening, (e) => e instanceof APIError && e.status === 401);
  assert.equal(refused.time.next, undefined, "no timer is left");

  const gone = new Hall();
  gone.replies.push(new TypeError("fetch failed"));
  const unreachable = gone.lobby.live();
  unreachable.catch(() => {});
  gone.socket.onclose({ code: 1006, reason: "" });
  gone.time.advance(100);
  await assert.rejects(unreachable, /fetch failed/);

  const closed = new Hall();
  const full = closed.lobby.live();
  full.catch(() => {});
  closed.socket.onopen();
  closed.socket.onclose({ code: 4406, reason: "too many" });
  await assert.rejects(full, (e) => e instanceof CloseError && e.info.code === 4406);

  const blocked = new Hall(); // the token is good, but sockets do not come through
  blocked.replies.push([200, { player: "alice" }]);
  const never = blocked.lobby.live();
  never.catch(() => {});
  blocked.socket.onclose({ code: 1006, reason: "" });
  blocked.time.advance(100);
  await settle();
  assert.equal(blocked.sockets.length, 2);
  blocked.socket.onclose({ code: 1006, reason: "" });
  await assert.rejects(never, (e) => e instanceof CloseError && e.info.code === 1006);

  const none = new Hall({ webSocket: () => { throw new ReferenceError("WebSocket is not defined"); } });
  await assert.rejects(none.lobby.live(), /WebSocket is not defined/);

  const silent = new Hall(); // no hello comes
  silent.replies.push(new TypeError("fetch failed"));
  const slow = silent.lobby.live();
  slow.catch(() => {});
  silent.socket.onopen();
  silent.time.advance(10_100);
  await assert.rejects(slow, /fetch failed/);
  assert.ok(silent.socket.closed);
});

test("a socket that is refused for its token is opened again with a newer one", async () => {
  const h = new Hall({ refresh: async () => "t2" });
  h.replies.push(unauthorized, [200, { player: "alice" }]);
  const opening = h.lobby.live();
  h.socket.onclose({ code: 1006, reason: "" });
  h.time.advance(100);
  await settle();
  assert.deepEqual(h.socket.protocols, ["muster.lobby.v1", "bearer.t2"]);
  h.accept();
  assert.equal((await opening).state, "open");
});

test("after the token's end a newer one is asked for, and the socket opened with it", async () => {
  const h = new Hall({ refresh: async () => "t2" });
  await h.open();
  await h.lose(4205, "the token has ended");
  assert.deepEqual(h.socket.protocols, ["muster.lobby.v1", "bearer.t2"]);
  h.accept();
  assert.deepEqual(h.told, ["reconnecting", "open"]);
});

test("it ends when the lobby refuses a newer token for good, and not when it cannot be had now", async () => {
  const answers: (string | Error)[] = [new TypeError("fetch failed"), new APIError(503, {}, "1"), new APIError(401, { detail: "another player" }, null)];
  const h = new Hall({
    refresh: async () => {
      const a = answers.shift() ?? assert.fail("asked too often");
      if (typeof a === "string") return a;
      throw a;
    },
  });
  const live = await h.open();
  h.socket.onclose({ code: 4205, reason: "" });
  const closes: CloseInfo[] = [];
  live.on("close", (info) => closes.push(info));
  for (let n = 0; n < 50 && closes.length === 0; n++) {
    h.time.advance(100);
    await settle();
  }
  assert.deepEqual(closes.map(({ code, action }) => [code, action]), [[4205, "requeue"]]);
  assert.equal(answers.length, 0);
  assert.match(closes[0]!.reason, /another player/);
  assert.equal(h.time.next, undefined, "no timer is left");
});

test("a lobby that says nothing is asked whether it is there, and left when it does not answer", async () => {
  const h = new Hall();
  const live = await h.open();
  h.time.advance(14_999);
  assert.equal(h.socket.sent.length, 1);
  h.time.advance(1);
  assert.equal(h.socket.sent[1]!.do, "ping");
  h.time.advance(9_000);
  h.socket.say({ re: h.socket.sent[1]!.n, ok: {} });
  h.time.advance(15_000);
  assert.equal(h.socket.sent.length, 3);
  assert.equal(live.state, "open");
  h.time.advance(10_000);
  assert.equal(live.state, "reconnecting");
  assert.ok(h.sockets[0]!.closed);
});

test("a message that is malformed ends the socket, and one of an unknown kind does not", async () => {
  const malformed: [unknown, number][] = [
    ["{", 1007], ["", 1007], [new ArrayBuffer(1), 1007], [`"${"x".repeat(1 << 20)}"`, 1009], ['{"event":{"id":5,"kind":"chat"}}', 1007],
    ['{"event":{}}', 1007], ['{"event":7}', 1007], ["null", 1007], ['{"presence":5}', 1007], ['{"missed":true}', 1007],
  ];
  for (const [data, code] of malformed) {
    const h = new Hall();
    await h.open();
    h.socket.onmessage({ data });
    assert.deepEqual(h.told, ["closed", code], String(data).slice(0, 40));
    assert.ok(h.socket.closed);
    assert.equal(h.time.next, undefined, "no timer is left");
  }
  const h = new Hall();
  const live = await h.open();
  live.on("chat", () => assert.fail("null is no message"));
  for (const data of [
    "5", '"text"', "[]", "{}", '{"later":{"a":1}}', '{"re":"x"}', '{"re":5}', '{"hello":5}', '{"event":null}',
    '{"event":{"id":"1-0/0-0","kind":"later","at":"","body":[1]}}', '{"event":{"id":"2-0/0-0","kind":"chat","body":null}}', '{"event":{"id":"3-0/0-0"}}',
  ]) {
    h.socket.onmessage({ data });
  }
  assert.deepEqual(h.told, ["1-0/0-0", "2-0/0-0", "3-0/0-0"]);
  assert.equal(live.last, "3-0/0-0");
  assert.deepEqual(live.hello, hello);
  h.socket.say({ bye: { code: "odd", reason: 5, after_ms: "x" } });
  assert.equal(live.state, "reconnecting");
});

test("an error of a listener is the program's own, and the others are told", async () => {
  const h = new Hall();
  const live = await h.open();
  const uncaught: unknown[] = [];
  const was = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (e) => uncaught.push(e));
  try {
    live.on("chat", () => { throw new Error("mine"); });
    const heard: string[] = [];
    live.on("chat", ({ text }) => heard.push(text));
    h.socket.event("1-0/0-0", "chat", { text: "a" });
    await settle();
    assert.deepEqual(heard, ["a"]);
    assert.equal(live.last, "1-0/0-0");
    assert.deepEqual(uncaught.map(String), ["Error: mine"]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const l of was) process.on("uncaughtException", l);
  }
});

test("closing it ends everything, whenever that is", async () => {
  const h = new Hall();
  const live = await h.open();
  live.on("chat", () => live.close());
  h.socket.event("1-0/0-0", "chat", { text: "a" });
  h.socket.event("2-0/0-0", "chat", { text: "b" });
  live.close();
  assert.deepEqual(h.told.filter((t) => t === "closed" || t === 1000), ["closed", 1000]);
  assert.ok(!h.told.includes("2-0/0-0"));
  assert.equal(h.time.next, undefined, "no timer is left");

  const away = new Hall({ refresh: () => new Promise((resolve) => setImmediate(() => resolve("t2"))) });
  const other = await away.open();
  away.socket.onclose({ code: 4205, reason: "" });
  away.time.advance(100); // it asks for a newer token now
  other.close();
  await settle();
  away.time.advance(60_000);
  assert.equal(away.sockets.length, 1, "no socket is opened any more");
  assert.equal(away.time.next, undefined, "no timer is left");
});

/** A player's inbox at a lobby, and the messages that he wrote: what the fakes of the next test say follows from it. */
class Inbox {
  readonly events: string[] = []; // the place after event n is n+1
  readonly written = new Map<string, string>(); // messages by their keys
  readonly #places = new Map<FakeSocket, number>(); // by socket, what it was told

  constructor(readonly below: (n: number) => number) {}

  /** Reads what the client has sent and tells some events, at most. It forgets one answer in so many. */
  serve(socket: FakeSocket, events: number, forgets: number): void {
    for (const m of socket.sent.splice(0)) {
      if (m.do === "hello") {
        this.#places.set(socket, Number((m.body as { after: string }).after || 0));
        socket.say({ hello });
      } else if (m.do === "chat.send") {
        const { key, text } = m.body as { key: string; text: string };
        assert.equal(this.written.get(key) ?? text, text, "two messages have one key");
        this.written.set(key, text);
        if (forgets === 0 || this.below(forgets) > 0) socket.say({ re: m.n, ok: { text } });
      }
    }
    for (let at = this.#places.get(socket); at !== undefined && at < this.events.length && events > 0 && !socket.closed; events--) {
      this.#places.set(socket, at + 1);
      socket.event(String(at + 1), "chat", { text: this.events[at++] });
    }
  }
}

test("whatever becomes of its sockets, each event is told once and in order, and each message written once", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const below = random(seed);
    const inbox = new Inbox(below);
    let calm = false;
    const h = new Hall({
      random: () => below(),
      fetch: async () => new Response('{"player":"alice"}'),
      webSocket: (url, protocols) => {
        const socket = new FakeSocket(url, protocols);
        h.sockets.push(socket);
        queueMicrotask(() => {
          if (!calm && below(4) === 0) socket.onerror(); // it is not taken
          else socket.onopen();
        });
        return socket as unknown as WebSocket;
      },
    });
    const heard: string[] = [];
    const answers: Promise<string>[] = [];
    const opening = h.lobby.live();
    h.socket.onopen();
    inbox.serve(h.socket, 0, 0);
    const live = await opening;
    live.on("chat", ({ text }) => heard.push(text));
    for (let n = 0; n < 80; n++) {
      const { socket } = h;
      switch (below(6)) {
        case 0:
          inbox.events.push(`event ${n}`);
          break;
        case 1:
          if (answers.length < 20) answers.push(live.chat.send("direct:bob", `message ${n}`).then(({ text }) => text));
          break;
        case 2:
          if (!socket.closed) socket.onclose({ code: [1006, 1001, 4002, 4003][below(4)]!, reason: "" });
          break;
        case 3:
          h.time.advance(below(400));
          break;
        default:
          inbox.serve(socket, below(4), 3);
      }
      await settle();
    }
    calm = true;
    h.socket.onclose({ code: 1006, reason: "" }); // what was not answered is asked for again
    for (let n = 0; n < 200; n++) {
      h.time.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
      inbox.serve(h.socket, 100, 0);
    }
    assert.deepEqual(heard, inbox.events, `seed ${seed}`);
    assert.equal(inbox.written.size, answers.length, `seed ${seed}: a message was written twice, or not at all`);
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(inbox.written.values()));
    live.close();
  }
});
