import assert from "node:assert/strict";
import { test } from "node:test";

import { CanvasModel } from "./model.ts";
import { type FakeClient, FakeServer } from "./model_fake.ts";

/** Dice that are the same in every run. */
function dice(seed: number): (n: number) => number {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

interface Writer {
  client: FakeClient;
  model: CanvasModel;
  caret: { author: number; n: number };
}

/** A clock by which a second passes between any two looks at it. */
function clock(): () => number {
  let now = 0;
  return () => (now += 1000);
}

/** A server and people at it, who have seen what there is. */
function room(people: number): { server: FakeServer; writers: Writer[] } {
  const server = new FakeServer();
  const writers = Array.from({ length: people }, () => {
    const client = server.join();
    return { client, model: new CanvasModel(client.link, clock()), caret: { author: 0, n: 0 } };
  });
  for (const w of writers) {
    server.frame(w.client);
    receive(w);
  }
  return { server, writers };
}

function receive({ client, model }: Writer): boolean {
  const came = client.receive();
  if (came) model.frame();
  for (const refusal of client.refusals.splice(0)) model.refused(refusal);
  return came;
}

/** Lets all that is on its way arrive. */
function settle(server: FakeServer, writers: Writer[]): void {
  for (let again = true; again;) {
    again = false;
    for (const w of writers) while (server.take(w.client)) again = true;
    for (const w of writers) {
      server.frame(w.client);
      while (receive(w)) continue;
      again ||= w.model.waiting > 0;
    }
  }
}

const LETTERS = ["a", "b", "c", " ", "\n", "é", "😀", "xyz"];

/** Does something with the text, and looks at whether it shows at once. */
function write(w: Writer, roll: (n: number) => number, now: number): number {
  const { text } = w.model;
  const before = text.text;
  const at = roll(3) === 0 ? roll(before.length + 1) : text.positionOf(w.caret);
  const from = text.positionOf(text.placeAt(at));
  switch (roll(8)) {
    case 0: {
      const to = text.positionOf(text.placeAt(Math.min(before.length, from + roll(6))));
      text.edit(from, to, "", now);
      assert.equal(text.text, before.slice(0, from) + before.slice(to));
      return 0;
    }
    case 1:
      roll(3) === 0 ? text.redo() : text.undo();
      return 0;
    default: {
      const insert = LETTERS[roll(LETTERS.length)]!;
      text.edit(from, from, insert, now);
      assert.equal(text.text, before.slice(0, from) + insert + before.slice(from));
      w.caret = text.placeAt(from + insert.length);
      return [...insert].length;
    }
  }
}

test("whatever people write, however late and in what order it comes, they all see the same in the end", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const roll = dice(seed);
    const { server, writers } = room(2 + roll(19));
    let [typed, now] = [0, 0];
    for (let step = 0; step < 150; step++) {
      now += roll(700);
      const w = writers[roll(writers.length)]!;
      const away = writers[seed % writers.length] === w && step % 60 > 20; // a connection that is lost, and comes back
      switch (roll(away ? 2 : 5)) {
        case 0:
        case 1:
          typed += write(w, roll, now);
          break;
        case 2:
          server.take(w.client);
          break;
        case 3:
          server.frame(w.client);
          break;
        case 4:
          receive(w);
      }
    }
    settle(server, writers);
    for (const { model } of writers) {
      assert.equal(model.text.text, server.text, `seed ${seed}`);
      assert.equal(model.waiting, 0);
    }
    const names = server.pieces.flatMap((p) => Array.from({ length: p.len }, (_, i) => `${p.author}:${p.n + i}`));
    assert.equal(names.length, typed, `seed ${seed}: characters are lost, or there twice`);
    assert.equal(new Set(names).size, typed);
  }
});

test("what twenty people type at one place stays together, each person's", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const roll = dice(seed);
    const { server, writers } = room(20);
    writers[0]!.model.text.edit(0, 0, "<>", 0);
    settle(server, writers);
    const words = writers.map((_, i) => String.fromCharCode(65 + i).repeat(3 + roll(20)));
    const left = words.map((word) => [...word]);
    writers.forEach((w) => (w.caret = w.model.text.placeAt(1)));
    while (left.some((l) => l.length > 0)) {
      const i = roll(20);
      const w = writers[i]!;
      const letter = left[i]!.pop();
      if (letter) {
        const at = w.model.text.positionOf(w.caret);
        w.model.text.edit(at, at, letter, 0);
        w.caret = w.model.text.placeAt(at + 1);
      }
      if (roll(3) > 0) server.take(writers[roll(20)]!.client);
      if (roll(3) === 0) server.frame(w.client);
      if (roll(3) > 0) receive(w);
    }
    settle(server, writers);
    assert.equal(server.text.length, 2 + words.join("").length);
    for (const word of words) assert.ok(server.text.includes(word), `${word} in ${server.text}`);
    for (const { model } of writers) assert.equal(model.text.text, server.text);
  }
});

test("what a host that died took back is written again", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const roll = dice(seed);
    const { server, writers } = room(2 + roll(5));
    let typed = 0;
    const some = () => {
      for (let step = 0; step < 40; step++) {
        const w = writers[roll(writers.length)]!;
        if (roll(2) === 0) {
          const at = w.model.text.positionOf(w.caret);
          w.model.text.edit(at, at, "x", 0);
          w.caret = w.model.text.placeAt(at + 1);
          typed++;
        }
        if (roll(2) === 0) server.take(w.client);
        server.frame(w.client);
        receive(w);
        if (roll(4) === 0) w.caret = w.model.text.placeAt(roll(w.model.text.text.length + 1)); // behind what another wrote
      }
    };
    some();
    server.keep();
    some();
    server.back();
    some();
    settle(server, writers);
    for (const { model } of writers) assert.equal(model.text.text, server.text);
    assert.equal(server.text.length, typed, `seed ${seed}`);
  }
});

test("what was deleted before a failover is deleted after it", () => {
  const { server, writers: [a, b] } = room(2) as { server: FakeServer; writers: [Writer, Writer] };
  server.keep();
  a.model.text.edit(0, 0, "abc", 0);
  settle(server, [a, b]);
  b.model.text.edit(1, 2, "", 0);
  settle(server, [a, b]);
  server.back();
  while (server.take(b.client)) continue; // b's command comes before a's
  for (const w of [a, b]) {
    server.frame(w.client);
    receive(w);
  }
  settle(server, [a, b]);
  for (const { model } of [a, b]) assert.equal(model.text.text, server.text);
  assert.ok(["ac", "abc"].includes(server.text));
});

test("undo takes back one's own typing, in steps, and nothing of others", () => {
  const { server, writers: [a, b] } = room(2) as { server: FakeServer; writers: [Writer, Writer] };
  const text = a.model.text;
  let now = 0;
  for (const letter of "hello") text.edit(text.text.length, text.text.length, letter, (now += 100));
  settle(server, [a, b]);
  b.model.text.edit(2, 2, "BBB", now);
  settle(server, [a, b]);
  assert.equal(text.text, "heBBBllo");
  text.edit(1, 7, "", (now += 5000)); // with what b wrote
  text.edit(1, 1, "i", (now += 5000));
  assert.equal(text.text, "hio");
  settle(server, [a, b]);
  assert.equal(text.undo(), 1);
  assert.equal(text.text, "ho");
  assert.equal(text.undo(), 7);
  assert.equal(text.text, "heBBBllo");
  text.undo();
  assert.equal(text.text, "BBB");
  assert.equal(text.undo(), undefined);
  settle(server, [a, b]);
  assert.deepEqual([server.text, b.model.text.text], ["BBB", "BBB"]);
  text.redo();
  text.redo();
  text.redo();
  assert.equal(text.text, "hio");
  assert.equal(text.redo(), undefined);
  settle(server, [a, b]);
  assert.equal(server.text, "hio");
});

test("who deleted what another deleted before does not bring it back", () => {
  const { server, writers: [a, b] } = room(2) as { server: FakeServer; writers: [Writer, Writer] };
  a.model.text.edit(0, 0, "abc", 0);
  settle(server, [a, b]);
  a.model.text.edit(0, 2, "", 5000);
  b.model.text.edit(1, 3, "", 5000);
  settle(server, [a, b]);
  assert.equal(server.text, "");
  b.model.text.undo();
  settle(server, [a, b]);
  assert.deepEqual([server.text, a.model.text.text, b.model.text.text], ["c", "c", "c"]);
  a.model.text.undo();
  settle(server, [a, b]);
  assert.deepEqual([server.text, b.model.text.text], ["abc", "abc"]);
});

test("a place stays where it is while others write before it", () => {
  const { server, writers: [a, b] } = room(2) as { server: FakeServer; writers: [Writer, Writer] };
  a.model.text.edit(0, 0, "world", 0);
  settle(server, [a, b]);
  const caret = a.model.text.placeAt(2);
  b.model.text.edit(0, 0, "hello ", 0);
  settle(server, [a, b]);
  assert.equal(a.model.text.positionOf(caret), 8);
});

test("what cannot be in the text is left out before it is sent, and a long text goes in several commands", () => {
  const { server, writers } = room(1);
  const [{ client, model }] = writers as [Writer];
  model.text.edit(0, 0, "a\r\nb\rc\u0000\u007f\u0085\t\ud800d", 0);
  assert.equal(model.text.text, "a\nb\nc\t\ufffdd");
  assert.equal(model.text.edit(0, 0, "\u0001", 0), false);
  const long = "é😀".repeat(2000);
  model.text.edit(0, 0, long, 0);
  assert.equal(model.text.text, `${long}a\nb\nc\t\ufffdd`);
  settle(server, writers);
  assert.equal(server.text, model.text.text);
  for (const { input } of client.sent) assert.ok(Buffer.byteLength(input.Text) <= 3000 && !/[\ud800-\udbff]$/.test(input.Text));
});

test("what is typed while the server is away waits, in few commands, and is bounded", () => {
  const { server, writers } = room(1);
  const [{ client, model }] = writers as [Writer];
  for (let i = 0; i < 600; i++) model.text.edit(i, i, "x", i * 50);
  assert.ok(client.sent.length <= 16 && model.waiting < 20, `${client.sent.length} sent, ${model.waiting} wait`);
  settle(server, writers);
  assert.equal(server.text, "x".repeat(600));
  let taken = 0;
  for (let i = 0; i < 3000; i++) if (model.text.edit(0, 0, "y", i * 5000)) taken++; // each at another place
  assert.ok(taken < 1100, `${taken} wait`);
  settle(server, writers);
  assert.equal(server.text.length, 600 + taken);
});

test("what is sent stays within what a server listens to", () => {
  const server = new FakeServer();
  const client = server.join();
  let now = 0;
  const model = new CanvasModel(client.link, () => now);
  const frame = () => {
    server.frame(client);
    client.receive();
    model.frame();
  };
  frame();
  for (let i = 0; i < 300; i++) { // a key that is held, thirty times a second
    model.text.edit(i, i, "x", (now += 33));
    while (server.take(client)) continue;
    if (i % 3 === 0) frame();
  }
  assert.ok(client.sent.length <= 9.9 * 15 + 10, `${client.sent.length} messages in ten seconds`);
  assert.ok(client.sent.length > 100);
  const begun = client.sent.length;
  model.text.edit(0, 0, "y".repeat(100_000), now);
  let [bytes, open] = [0, 0];
  let sent = client.sent.length;
  for (let i = 0; model.waiting > 0; i++) {
    for (; sent < client.sent.length; sent++) { // each message repeats those before it
      open = client.link.unprocessed.reduce((sum, { input }) => sum + input.Text.length, 0);
      bytes += open;
      assert.ok(open <= 9000, `${open} bytes on their way`);
    }
    now += 100;
    while (server.take(client)) continue;
    frame();
    assert.ok(i < 100, `${model.waiting} wait`);
  }
  assert.ok(client.sent.length - begun < 40 && bytes < 400_000, `${client.sent.length - begun} messages, ${bytes} bytes`);
  assert.equal(server.text.length, 100_300);
});

test("a text that is refused for good is told, and is gone", () => {
  const { server, writers } = room(1);
  const [w] = writers as [Writer];
  const told: string[] = [];
  w.model.onRefused = (input, reason) => told.push(`${input.Text}: ${reason}`);
  w.model.text.edit(0, 0, "abc", 0);
  w.client.sent[0]!.input = { ...w.client.sent[0]!.input, "At.Author": 77 } as never; // as if it were so
  w.model.refused({ input: w.client.sent[0]!.input, reason: "the text is full" });
  assert.deepEqual(told, ["abc: the text is full"]);
  assert.ok(server.text === "");
});

test("a key at 100 KB of text takes less than two milliseconds, and so does a frame", () => {
  const { server, writers } = room(2);
  const [a, b] = writers as [Writer, Writer];
  const roll = dice(7);
  for (let i = 0; a.model.text.text.length < 100_000; i++) {
    const w = writers[i % 2]!;
    const at = w.model.text.positionOf(w.model.text.placeAt(roll(w.model.text.text.length + 1)));
    w.model.text.edit(at, at, "lorem ipsum dolor sit amet consectetur ".repeat(2), i * 5000);
    if (i % 20 === 0) settle(server, writers);
  }
  settle(server, writers);
  const pieces = server.pieces.length;
  const [keys, frames]: [number[], number[]] = [[], []];
  for (let i = 0; i < 200; i++) {
    const at = a.model.text.positionOf(a.model.text.placeAt(50_000 + i));
    let begin = performance.now();
    a.model.text.edit(at, at, "k", i * 100);
    assert.ok(a.model.text.text.length > 100_000);
    keys.push(performance.now() - begin);
    while (server.take(a.client)) continue;
    server.frame(b.client);
    b.client.receive();
    begin = performance.now();
    b.model.frame();
    assert.equal(b.model.text.text.length, a.model.text.text.length);
    frames.push(performance.now() - begin);
    server.frame(a.client);
    receive(a);
  }
  const median = (list: number[]) => list.toSorted((x, y) => x - y)[list.length / 2]!;
  console.log(`${pieces} pieces: a key ${median(keys).toFixed(3)} ms, a frame ${median(frames).toFixed(3)} ms`);
  assert.ok(median(keys) < 2, `a key takes ${median(keys)} ms`);
  assert.ok(median(frames) < 10, `a frame takes ${median(frames)} ms`);
});
