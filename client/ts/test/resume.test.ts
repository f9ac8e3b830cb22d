import assert from "node:assert/strict";
import { test } from "node:test";
import { ammo, bye, events, frame, hit, inTwo, keyframe, moved, refusal, welcome } from "./fake_server.js";
import { Harness, seat, uncaught } from "./match_harness.js";
import { type Any, encode } from "./msgpack.js";

const first = frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] });

test("a lost socket is taken up again with the resume secret of the newest welcome", async () => {
  const told: string[] = [];
  const h = new Harness();
  const match = await h.join({ resume: "secret-1" });
  for (const t of ["Ships", "Round"] as const) {
    match.onAdd(t, (id) => told.push(`add ${t} ${id}`));
    match.onChange(t, (id) => told.push(`change ${t} ${id}`));
    match.onRemove(t, (id) => told.push(`remove ${t} ${id}`));
  }
  h.socket.say(first);
  match.send({ Turn: 1 });
  h.socket.say(bye(4002, "shutting down", 200));
  assert.equal(match.state, "reconnecting");
  assert.equal(h.socket.closed, true);
  assert.equal(match.tables.Ships.get(1)?.X, 5, "the last state stays meanwhile");
  h.time.advance(50);
  match.send({ Turn: 2 });
  assert.equal(h.sockets.length, 1);
  h.time.advance(199); // 200 as the bye says, and half of the first window of 100
  assert.equal(h.sockets.length, 1);
  h.time.advance(1);
  assert.equal(h.sockets.length, 2);
  assert.deepEqual(h.socket.protocols, ["muster.v1", "bearer.secret-1"]);
  told.length = 0;
  h.accept({ resume: "secret-2", tick: 107 });
  assert.equal(match.state, "playing");
  h.socket.say(frame(107, { blocks: [keyframe([[6, "a", 1], [1, "b", 2]], 90)] }));
  assert.deepEqual(told, ["change Ships 1", "add Ships 65537"], "only what differs is told");
  assert.equal(match.stats.resumes, 1);
  const [packet] = h.socket.take(1);
  assert.deepEqual([packet![2], packet![4], (packet![5] as Any[]).length], [107, 2, 2], "what is not acknowledged is sent again");

  h.socket.end(1006);
  h.time.advance(50);
  assert.deepEqual(h.socket.protocols, ["muster.v1", "bearer.secret-2"]);
  assert.deepEqual(h.states, ["playing", "reconnecting", "playing", "reconnecting"]);
  assert.deepEqual(h.closes, []);
});

test("what was there stays until the keyframe of a new socket is whole, and only what differs is told", async () => {
  const told: string[] = [];
  const h = new Harness();
  const match = await h.join();
  for (const t of ["Ships", "Round"] as const) {
    match.onAdd(t, (id) => told.push(`add ${t} ${id}`));
    match.onChange(t, (id) => told.push(`change ${t} ${id}`));
    match.onRemove(t, (id) => told.push(`remove ${t} ${id}`));
  }
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1], [7, "b", 2], [9, "c", 3]], 90)] }));
  const ship = match.tables.Ships.get(65537);
  h.socket.end(1006);
  h.time.advance(50);
  told.length = 0;
  h.accept({ tick: 107 });
  const [one, two] = inTwo(keyframe([[6, "a", 1], [7, "b", 2]], 90), 107);
  const rest = { scopes: [0, 1] };
  h.socket.say(frame(107, { ...rest, blocks: [one, ammo(3)] }), frame(108, rest));
  assert.deepEqual(told, []);
  assert.equal(match.tables.Ships.size, 3);
  assert.equal(match.value("Round")?.Left, 90);
  assert.deepEqual([...match.view()!.tables.Ships.keys()], [1, 65537, 131073]);
  h.socket.say(frame(109, { ...rest, blocks: [two] }));
  assert.deepEqual(told, ["change Ships 1", "remove Ships 131073"]);
  assert.deepEqual(match.tables.Ships.get(1), { X: 6, Name: "a", Owner: 1, Ammo: 3 });
  assert.equal(match.tables.Ships.get(65537), ship, "the same object");
});

test("what was there goes when its scope is lost on the new socket", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(first);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ tick: 107 });
  const [one, two] = inTwo(keyframe([[6, "a", 1]], 90), 107);
  h.socket.say(frame(107, { blocks: [one] }));
  assert.equal(match.tables.Ships.size, 1);
  two[2]![1]++; // it does not continue what is there
  two[2]![2]++;
  h.socket.say(frame(108, { blocks: [two] }));
  assert.equal(match.tables.Ships.size, 0, "a keyframe of it was asked for");
});

test("what the room has already is not sent again after a resume", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(first);
  match.send({ Turn: 1 });
  h.time.advance(50);
  match.send({ Turn: 2 });
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ seq: 1 });
  h.socket.say(frame(103, { processed: 1, blocks: [keyframe([], 1)] }));
  const [packet] = h.socket.take(1);
  assert.deepEqual([packet![4], (packet![5] as Any[]).length], [2, 1]);
});

test("the delta of a new socket builds on its own keyframe only", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(first);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ tick: 100 });
  h.socket.say(frame(101, { blocks: [moved(1, 1)] }));
  assert.deepEqual(h.socket.take(3), [[3, 0]]);
  assert.equal(match.stats.decodeErrors, 1);
});

test("nothing of the socket before counts on a new one", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(first, frame(101, { hashes: [[0, 1n]] }));
  assert.deepEqual(h.socket.take(3), [[3, 0]]);
  match.setView(99, 0.5);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept();
  match.send({ Turn: 1 });
  const [, , last, , , [[, view, frac]]] = h.socket.take(1)[0] as [1, 7, number, 0, 1, [[number, number, number]]];
  assert.deepEqual({ last, view, frac }, { last: 0, view: 0, frac: 0 }, "no frame of this socket is here, none was looked at");
  h.socket.say(frame(101, { blocks: [keyframe([], 1)], hashes: [[0, 1n]] }));
  assert.deepEqual(h.socket.take(3), [[3, 0]], "its keyframe is asked for at once");
  h.socket.end(1006);
  h.time.advance(50);
  h.accept();
  h.socket.say(encode([16, 1, 0, 0])); // a tick after none, of no epoch
  assert.equal(match.state, "reconnecting");
});

test("events are told once over resumes", async () => {
  const got: number[] = [];
  const h = new Harness();
  const match = await h.join();
  match.onEvent("Hit", (_, e) => got.push(e.number));
  h.socket.say(events(100, 1, hit(1), hit(2)), first);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ event: 1 }); // the acknowledgement of 2 did not arrive
  h.socket.say(events(100, 2, hit(2)), events(101, 3, hit(3)));
  assert.deepEqual(got, [1, 2, 3]);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ event: 5 }); // another program had the seat meanwhile
  h.socket.say(events(102, 6, hit(6)));
  assert.deepEqual(got, [1, 2, 3, 6]);
});

test("the code of a close decides what follows, known or not, and the bye's comes before the close frame's", async () => {
  const cases: [code: number, name: string, state: string, action: string][] = [
    [4403, "not_your_seat", "closed", "stop"],
    [4406, "replaced", "closed", "stop"],
    [4201, "match_gone", "closed", "requeue"],
    [4350, "unknown", "closed", "requeue"],
    [4599, "unknown", "closed", "stop"],
    [1008, "policy", "closed", "stop"],
    [1000, "done", "closed", "done"],
    [4001, "moved", "reconnecting", "reconnect"],
    [4150, "unknown", "reconnecting", "reconnect"],
    [1011, "internal", "reconnecting", "reconnect"],
    [1005, "unknown", "reconnecting", "reconnect"],
    [1006, "lost", "reconnecting", "reconnect"],
  ];
  for (const [code, name, state, action] of cases) {
    for (const byBye of [true, false]) {
      const h = new Harness();
      const match = await h.join();
      if (byBye) h.socket.say(bye(code, "why"));
      h.socket.end(byBye ? 4299 : code, "why");
      assert.equal(match.state, state, `${code}`);
      const info = { code, name, reason: "why", action, afterMs: 0 };
      assert.deepEqual(h.closes, state === "closed" ? [info] : []);
      assert.equal(h.time.next !== undefined, state === "reconnecting");
    }
  }
});

test("a bye and a close right after the first welcome are followed by one socket", async () => {
  const h = new Harness();
  const connecting = h.connect();
  h.socket.open();
  h.socket.say(welcome(), bye(4002));
  h.socket.end(4002);
  const match = await connecting;
  h.time.advance(9_000);
  assert.equal(h.sockets.length, 2);
  h.accept();
  assert.deepEqual([match.state, h.states], ["playing", ["playing", "reconnecting", "playing"]]);
});

test("with reconnect off, every end is the end", async () => {
  const h = new Harness({ reconnect: false });
  await h.join();
  h.socket.say(bye(4002, "", 500));
  assert.deepEqual(h.closes.map((c) => [c.code, c.action, c.afterMs]), [[4002, "reconnect", 500]]);
  assert.equal(h.time.next, undefined);
});

test("attempts come less and less often, and end after the time that was given", async () => {
  const h = new Harness({ reconnectForMs: 20_000 });
  const match = await h.join();
  h.socket.end(1006);
  const waits: number[] = [];
  while (match.state === "reconnecting") {
    waits.push(h.time.next!);
    h.time.advance(h.time.next!);
    h.socket.end(1006);
  }
  assert.deepEqual(waits.slice(0, 8), [50, 100, 200, 400, 800, 1600, 2500, 2500]);
  const total = waits.reduce((a, b) => a + b);
  assert.equal(total, 20_000, "the last one is made when the time is up");
  assert.deepEqual(h.closes, [
    { code: 1006, name: "lost", reason: "tried for 20 s", action: "reconnect", afterMs: 0 },
  ]);
  assert.equal(h.time.next, undefined);
});

test("an attempt that is refused for good ends the match with that", async () => {
  const h = new Harness();
  await h.join();
  h.socket.end(1006);
  h.time.advance(50);
  h.socket.open();
  h.socket.say(bye(4203, "the seat is gone"));
  assert.deepEqual(h.closes.map((c) => [c.code, c.action, c.reason]), [[4203, "requeue", "the seat is gone"]]);
});

test("an attempt without an answer is followed by another", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.end(1006);
  h.time.advance(50);
  const stuck = h.socket;
  h.time.advance(10_000);
  assert.equal(stuck.closed, true);
  h.time.advance(100);
  assert.equal(h.sockets.length, 3);
  stuck.open();
  stuck.say(welcome());
  assert.equal(match.state, "reconnecting", "what an abandoned socket says counts for nothing");
  h.accept();
  assert.equal(match.state, "playing");
});

test("a delay that a bye names is bounded", async () => {
  const h = new Harness();
  await h.join();
  h.socket.say(bye(4005, "", 2 ** 32 - 1));
  assert.equal(h.time.next, 60_050);
});

test("a match that moved is taken up where the program says", async () => {
  const there = "wss://node-2/v1/match/room-1";
  const stay = new Harness();
  await stay.join();
  stay.socket.say(bye(4001, "", 0, there));
  stay.time.advance(50);
  assert.equal(stay.socket.url, seat.url);

  const asked: string[] = [];
  const go = new Harness({ moved: (url) => (asked.push(url), url) });
  await go.join();
  go.socket.say(bye(4001, "", 0, there));
  go.time.advance(50);
  assert.equal(go.socket.url, there);
  assert.deepEqual(asked, [there]);
});

test("a socket that says nothing for ten seconds is lost", async () => {
  const h = new Harness();
  const match = await h.join();
  h.time.advance(9_000);
  h.socket.say(first);
  h.time.advance(9_999);
  assert.equal(match.state, "playing");
  h.time.advance(1);
  assert.equal(match.state, "reconnecting");
});

test("an older epoch is refused, in a welcome and in a frame", async () => {
  const h = new Harness();
  const match = await h.join({ epoch: 9 });
  h.socket.say(frame(100, { epoch: 8, blocks: [keyframe([[5, "a", 1]], 90)] }));
  assert.equal(match.state, "reconnecting");
  assert.equal(match.tables.Ships.size, 0, "nothing of it is shown");
  h.time.advance(50);
  h.accept({ epoch: 8 });
  assert.equal(match.state, "reconnecting");
  assert.equal(match.info.epoch, 9n);
  h.time.advance(100);
  h.accept({ epoch: 10 });
  assert.equal(match.state, "playing");
  assert.equal(match.info.epoch, 10n);
});

test("events of a new epoch are told once: what it kept was told, what was taken back comes anew", async () => {
  const got: [number, number][] = [];
  const h = new Harness();
  const match = await h.join();
  match.onEvent("Hit", (_, e) => got.push([e.tick, e.number]));
  h.socket.say(events(100, 1, hit(1), hit(2), hit(3), hit(4)), first);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ epoch: 8, event: 1, kept: 3 });
  h.socket.say(events(101, 2, hit(2), hit(3)), events(102, 4, hit(5)));
  assert.deepEqual(got, [[100, 1], [100, 2], [100, 3], [100, 4], [102, 4]]);
});

test("commands that were not processed are named when the match is closed, and later ones are not taken", async () => {
  const h = new Harness();
  const match = await h.join({ commands: true });
  for (const Turn of [1, 2, 3]) assert.equal(match.send({ Turn }), true);
  h.socket.say(frame(100, { processed: 1, durable: 0, blocks: [keyframe([[5, "a", 1]], 90)] }));
  assert.deepEqual(match.unprocessed, [{ seq: 2, input: { Turn: 2 } }, { seq: 3, input: { Turn: 3 } }]);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ commands: true, seq: 7 }); // another program was faster
  assert.equal(match.send({ Turn: 4 }), true);
  h.socket.end(4410);
  assert.equal(match.state, "closed");
  assert.equal(match.send({ Turn: 5 }), false);
  assert.deepEqual(match.unprocessed.map((u) => [u.seq, u.input.Turn]), [[2, 2], [3, 3], [8, 4]]);
});

test("commands that another program overtook stay named, however far it went and whatever follows", async () => {
  const h = new Harness();
  const match = await h.join({ commands: true });
  for (const Turn of [1, 2, 3]) match.send({ Turn });
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ commands: true, seq: 1_000_000 });
  for (let i = 1; i <= 500; i++) {
    match.send({ Turn: i % 100 });
    h.socket.say(frame(100 + i, { processed: 1_000_000 + i, blocks: [keyframe([[5, "a", 1]], 90)] }));
  }
  assert.deepEqual(match.unprocessed.map((u) => [u.seq, u.input]), [[1, { Turn: 1 }], [2, { Turn: 2 }], [3, { Turn: 3 }]]);
});

test("every command that waits can be named, with what was given to send", async () => {
  const h = new Harness();
  const match = await h.join({ commands: true });
  const want = Array.from({ length: 256 }, (_, i) => [i + 1, { Turn: i % 100 }]);
  for (let i = 0; i < 256; i++) match.send({ Turn: i % 100 });
  assert.deepEqual(match.unprocessed.map((u) => [u.seq, u.input]), want);
  h.socket.end(4410);
  assert.deepEqual(match.unprocessed.map((u) => [u.seq, u.input]), want);
});

test("a refusal after a jump does not get an input of long before", async () => {
  const refused: unknown[] = [];
  const h = new Harness({ onRefused: (r) => refused.push(r.input) });
  const match = await h.join({ commands: true });
  for (const Turn of [1, 2, 3]) match.send({ Turn });
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ commands: true, seq: 1000 });
  match.send({ Turn: 4 });
  h.socket.say(events(101, 1, refusal(2, ""), refusal(1001, "")));
  assert.deepEqual(refused, [undefined, { Turn: 4 }]);
});

test("a new epoch behind the same socket may begin its events and ticks anew", async () => {
  const got: [number, number][] = [];
  const h = new Harness();
  const match = await h.join();
  match.onEvent("Hit", (_, e) => got.push([e.tick, e.number]));
  h.socket.say(events(100, 1, hit(1), hit(2)), first);
  h.time.advance(1000);
  const before = match.serverTick();
  h.socket.say(frame(90, { epoch: 8, blocks: [keyframe([[5, "a", 1]], 90)] }), events(90, 1, hit(3)), events(91, 1, hit(3)));
  assert.deepEqual(got, [[100, 1], [100, 2], [90, 1]]);
  assert.ok(before > 119 && match.serverTick() < 92, `${before} ${match.serverTick()}`);

  // One that goes on numbering goes on.
  h.socket.say(frame(95, { epoch: 9 }), events(95, 2, hit(4)), events(96, 1, hit(3)));
  assert.deepEqual(got.slice(3), [[95, 2]]);
});

for (const lost of [false, true]) {
  const about = lost ? " while the socket was lost" : "";
  test(`inputs do not wait for the ticks that a room left out by hanging${about}`, async () => {
    const h = new Harness();
    const match = await h.join({ commands: true });
    h.socket.say(first);
    const ticks = () => h.socket.take(1).flatMap((p) => (p![5] as Any[][]).map((input) => input[0] as number));
    if (lost) h.socket.end(1006);
    h.time.advance(8000);
    match.send({ Turn: 1 });
    if (!lost) assert.ok(Math.max(...ticks()) > 250, "the room's time is thought to have gone on");
    if (lost) h.accept({ commands: true, tick: 101 });
    h.socket.say(frame(101, { blocks: [keyframe([[5, "a", 1]], 90)] }));
    match.send({ Turn: 3 });
    const got = ticks();
    assert.ok(got.length > 0 && Math.max(...got) < 110, `inputs are for ticks ${got}`);
    assert.ok(match.serverTick() < 110, `the clock is at ${match.serverTick()}`);
  });
}

test("a server with other types of the game ends the match", async () => {
  const h = new Harness();
  await h.join();
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ schema: [1, [["Other", true, 1, []]], [], []] });
  assert.deepEqual(h.closes.map((c) => [c.code, c.action]), [[4426, "stop"]]);
});

test("a message that is none ends the match", async () => {
  for (const bad of [Uint8Array.of(0xc1), Uint8Array.of(0x92, 0x10, 0x01), events(1, 1, [9])]) {
    const h = new Harness();
    await h.join();
    h.socket.say(bad);
    assert.deepEqual(h.closes.map((c) => [c.code, c.action]), [[1007, "stop"]]);
    assert.equal(h.socket.closed, true);
  }
  const h = new Harness();
  const match = await h.join();
  h.socket.say(Uint8Array.of(0x92, 0x0f, 0xc0)); // a kind of a newer server
  assert.equal(match.state, "playing");
});

test("a program that has enough when the socket is lost is not brought back", async () => {
  for (const enough of ["close", "leave"] as const) {
    let match: Awaited<ReturnType<Harness["join"]>>;
    const h = new Harness({
      onState: (state) => {
        if (state === "reconnecting") void Promise.resolve(match[enough]()).catch(() => {});
      },
    });
    match = await h.join();
    h.socket.end(1006);
    assert.equal(match.state, "closed", enough);
    assert.equal(h.time.next, undefined, `${enough}: no timer is left`);
  }
});

test("an error of moved is not lost, and the match goes on at the address that it had", async (t) => {
  const thrown = uncaught(t);
  const error = new Error("the program's own");
  const h = new Harness({
    moved: () => {
      throw error;
    },
  });
  const match = await h.join();
  h.socket.say(bye(4002, "moved", 0, "ws://node-2"));
  assert.deepEqual(thrown, [error]);
  h.time.advance(100);
  assert.equal(h.sockets.length, 2);
  assert.equal(h.socket.url, seat.url);
  match.close();
});
