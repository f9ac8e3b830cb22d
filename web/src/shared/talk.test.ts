import assert from "node:assert/strict";
import { test } from "node:test";

import { APIError, type Channel, type History } from "@muster/client";
import { before, refusal, Talk, type Speaker } from "./talk.ts";

/** A lobby's chat that answers when it is told to. */
class Fake implements Speaker {
  sent: { text: string; key: string | undefined; done(m: { id: string; text?: string }): void; fail(e: unknown): void }[] = [];
  pages = new Map<string, History>();
  send(_: Channel, text: string, key?: string) {
    return new Promise<{ id: string; from: string; text: string; at: string }>((resolve, reject) => {
      this.sent.push({ text, key, done: (m) => resolve({ from: "me", at: "2026-01-02T03:04:05Z", text, ...m }), fail: reject });
    });
  }
  async history(_: Channel, page: { before?: string | undefined } = {}) {
    const found = this.pages.get(page.before ?? "");
    if (!found) throw new APIError(404, { detail: "there is no such channel" }, null);
    return found;
  }
}

const at = "2026-01-02T03:04:05Z";
const said = (id: string, from: string, text: string) => ({ channel: "room:r", id, from, name: from.toUpperCase(), text, at });

function open() {
  const fake = new Fake();
  let n = 0;
  let shown = 0;
  const talk = new Talk("room:r", "me", () => fake, () => shown++, () => `k${++n}`);
  return { fake, talk, texts: () => talk.lines.map((l) => `${l.state} ${l.text}`), shown: () => shown };
}

test("a message is shown at once, and once, in whichever order the lobby answers and tells", async () => {
  for (const order of ["answer first", "told first"]) {
    const { fake, talk, texts } = open();
    const sending = talk.say("hello");
    assert.deepEqual(texts(), ["sending hello"]);
    if (order === "told first") talk.hear(said("2-0", "me", "hello"));
    fake.sent[0]!.done({ id: "2-0" });
    await sending;
    if (order === "answer first") talk.hear(said("2-0", "me", "hello"));
    assert.deepEqual(texts(), ["there hello"], order);
    assert.equal(talk.unread, 0);
  }
});

test("what a filter changed is shown as it is", async () => {
  const { fake, talk, texts } = open();
  const sending = talk.say("HELLO");
  talk.hear(said("2-0", "me", "hello"));
  fake.sent[0]!.done({ id: "2-0", text: "hello" });
  await sending;
  assert.deepEqual(texts(), ["there hello"]);
});

test("one that failed says why, and is sent again as the same one", async () => {
  const { fake, talk, texts } = open();
  const first = talk.say("hello");
  fake.sent[0]!.fail(new APIError(429, { detail: "you write too much" }, "2"));
  await first;
  assert.deepEqual(texts(), ["failed hello"]);
  const line = talk.lines[0]!;
  assert.equal(line.why, "You write too much. Try again in 2 s.");
  assert.equal(line.again, true);
  const again = talk.retry(line.key);
  assert.deepEqual(texts(), ["sending hello"]);
  fake.sent[1]!.done({ id: "3-0" });
  await again;
  assert.deepEqual(fake.sent.map((s) => s.key), ["k1", "k1"]);
  assert.deepEqual(texts(), ["there hello"]);
});

test("one that is refused for good can only be taken back", async () => {
  const { fake, talk, texts } = open();
  const sending = talk.say("bad");
  fake.sent[0]!.fail(new APIError(422, { detail: "validation failed", errors: [{ location: "body.text", message: "this is not said here" }] }, null));
  await sending;
  assert.equal(talk.lines[0]!.why, "This is not said here.");
  assert.equal(talk.lines[0]!.again, false);
  assert.equal(talk.drop("k1"), "bad");
  assert.deepEqual(texts(), []);
});

test("history comes in pages, in order, without what is there already", async () => {
  const { fake, talk, texts } = open();
  talk.hear(said("9-0", "bob", "nine"));
  fake.pages.set("", { messages: [said("9-0", "bob", "nine"), said("8-1", "bob", "eight")], next: "8-1" });
  fake.pages.set("8-1", { messages: [said("8-0", "ann", "older"), said("7-0", "ann", "oldest")] });
  await talk.load();
  assert.deepEqual(texts(), ["there eight", "there nine"]);
  await talk.more();
  assert.equal(talk.older, undefined);
  assert.deepEqual(texts(), ["there oldest", "there older", "there eight", "there nine"]);
  await talk.more();
  assert.equal(talk.lines.length, 4);
});

test("after a gap that a page does not bridge the page alone is shown", async () => {
  const { fake, talk, texts } = open();
  fake.pages.set("", { messages: [said("1-0", "bob", "before")] });
  await talk.load();
  fake.pages.set("", { messages: [said("6-0", "bob", "six"), said("5-0", "bob", "five")], next: "5-0" });
  await talk.load();
  assert.deepEqual(texts(), ["there five", "there six"]);
  assert.equal(talk.older, "5-0");
});

test("what is told while a page is on its way stays, once", async () => {
  const { fake, talk, texts } = open();
  fake.pages.set("", { messages: [said("1-0", "bob", "one")] });
  let loading = talk.load(); // the first
  talk.hear(said("2-0", "bob", "two"));
  await loading;
  assert.deepEqual(texts(), ["there one", "there two"]);
  fake.pages.set("", { messages: [said("3-0", "bob", "three"), said("2-0", "bob", "two"), said("1-0", "bob", "one")] });
  loading = talk.load(); // after something may have been missed
  talk.hear(said("3-0", "bob", "three"));
  await loading;
  assert.deepEqual(texts(), ["there one", "there two", "there three"]);
  fake.pages.set("", { messages: [said("6-0", "bob", "six"), said("5-0", "bob", "five")], next: "5-0" });
  loading = talk.load(); // and was, more than a page has
  talk.hear(said("7-0", "bob", "seven"));
  await loading;
  assert.deepEqual(texts(), ["there five", "there six", "there seven"]);
  assert.equal(talk.older, "5-0");
});

test("a channel that was empty has older pages when it has filled", async () => {
  const { fake, talk, texts } = open();
  fake.pages.set("", { messages: [] });
  await talk.load();
  fake.pages.set("", { messages: [said("6-0", "bob", "six"), said("5-0", "bob", "five")], next: "5-0" });
  await talk.load();
  assert.deepEqual([texts(), talk.older], [["there five", "there six"], "5-0"]);
});

test("unread counts what others wrote since it was read", async () => {
  const { talk } = open();
  talk.hear(said("1-0", "bob", "a"));
  talk.hear(said("1-0", "bob", "a"));
  talk.hear(said("2-0", "me", "b"));
  assert.equal(talk.unread, 1);
  talk.read();
  talk.hear(said("3-0", "bob", "c"));
  assert.equal(talk.unread, 1);
  talk.hide(new Set(["bob"]));
  talk.hear(said("4-0", "bob", "d"));
  assert.equal(talk.unread, 1);
  assert.deepEqual(talk.lines.map((l) => l.text), ["b"]);
  talk.hide(new Set());
  assert.equal(talk.lines.length, 4);
});

test("ids are compared as numbers", () => {
  assert.equal(before("9-0", "10-0"), true);
  assert.equal(before("10-2", "10-10"), true);
  assert.equal(before("", "1-0"), true);
  assert.equal(before("1-0", "1-0"), false);
});

test("refusals are sentences", () => {
  assert.equal(refusal(new Error("x")), "The server does not answer.");
  assert.match(refusal(new APIError(403, { detail: "you are muted here until 2026-01-02T03:04:05Z: enough" }, "60")), /^You are muted here until \d\d:\d\d.*: enough\.$/);
});
