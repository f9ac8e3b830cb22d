import assert from "node:assert/strict";
import { test } from "node:test";
import { APIError, CloseError, type CloseInfo } from "../src/index.js";
import { Hall, hello, settle, unauthorized } from "./live_harness.js";

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

test("what a backend publishes is heard by its kind, kept or not, and only what is kept moves the place", async () => {
  const h = new Hall();
  const live = await h.open();
  const heard: unknown[] = [];
  const before = live.last;
  live.on("x.score", (body, e) => heard.push([body, e.id]));
  live.on("event", (e) => heard.push(e.kind));
  h.socket.say({ published: { id: "abc", kind: "x.score", at: "2030-01-01T00:00:00Z", body: { home: 1 } } });
  h.socket.say({ published: { id: "abd", kind: "x.other", at: "2030-01-01T00:00:00Z", body: null } });
  assert.equal(live.last, before);
  h.socket.event("9-0/0-0", "x.score", { home: 2 });
  assert.deepEqual(heard, [[{ home: 1 }, "abc"], [{ home: 2 }, "9-0/0-0"], "x.score"]);
  assert.equal(live.last, "9-0/0-0");
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
  live.chat.send("direct:bob", "hi", "mine").catch(() => {});
  assert.equal((h.socket.asked[4]!.body as { key: string }).key, "mine", "a program's own key counts");
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

test("what a listener asks for when the socket is back is asked once, after what waited", async () => {
  const h = new Hall();
  const live = await h.open();
  const watching = live.watch(["bob"]);
  h.socket.say({ re: h.socket.asked[0]!.n, ok: {} });
  await watching;
  live.chat.send("direct:bob", "hi").catch(() => {});
  live.on("state", (state) => {
    if (state !== "open") return;
    live.watch(["carol"]).catch(() => {});
    live.chat.history("direct:bob").catch(() => {});
  });
  await h.lose();
  h.accept();
  assert.deepEqual(h.socket.asked.map((m) => [m.do, (m.body as { players?: string[] }).players]), [
    ["presence.watch", ["bob"]], ["chat.send", undefined], ["presence.watch", ["carol"]], ["chat.history", undefined],
  ]);
  live.close();
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

test("whom to watch from now on counts, also when its answer was lost with the socket", async () => {
  const h = new Hall();
  const live = await h.open();
  const first = live.watch(["bob"]);
  h.socket.say({ re: h.socket.asked[0]!.n, ok: { watched: 1 } });
  await first;
  const second = live.watch(["carol"]);
  await h.lose();
  h.accept();
  assert.deepEqual(h.socket.asked.at(-1)!.body, { players: ["carol"] }, "the list that the lobby hears last counts");
  h.socket.say({ re: h.socket.asked.at(-1)!.n, ok: { watched: 1 } });
  await second;
});

test("one who is closed does not come back to whom he watched", async () => {
  const h = new Hall();
  const live = await h.open();
  const watching = live.watch(["bob"]);
  h.socket.say({ re: h.socket.asked[0]!.n, ok: { watched: 1 } });
  await watching;
  await h.lose();
  h.accept();
  h.socket.say({ re: h.socket.asked[0]!.n, error: { status: 429, retry_after: 60 } });
  await settle();
  live.close();
  assert.equal(h.time.next, undefined, "no timer is left");
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
    ['{"event":{}}', 1007], ['{"event":7}', 1007], ["null", 1007], ['{"presence":5}', 1007], ['{"missed":true}', 1007], ['{"published":7}', 1007],
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
