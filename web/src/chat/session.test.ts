import assert from "node:assert/strict";
import { before, test } from "node:test";

import type { Live, Lobby } from "@muster/client";
import { Prefs } from "../shared/prefs.ts";
import { Book } from "./book.ts";
import { Session } from "./session.ts";

before(() => void Object.assign(globalThis, { document: { hidden: false } }));

/** Tabs of one player, who share what the browser keeps. */
function tabs(n: number) {
  const kept = new Map<string, string>();
  const prefs = new Prefs(() => ({ getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v), removeItem: (k) => void kept.delete(k) }));
  return Array.from({ length: n }, () => {
    const calls = new Map<string, (body: unknown, e: unknown) => void>();
    const live = {
      hello: { player: "ann", name: "Ann", time: "2026-01-02T03:04:05Z" },
      on: (kind: string, call: (body: unknown, e: unknown) => void) => void calls.set(kind, call),
      watch: async () => {},
    } as unknown as Live;
    const session = new Session({} as Lobby, live, new Book(prefs, "ann"), () => {});
    const said: string[] = [];
    session.say = (text) => said.push(text);
    /** Lets the lobby tell an event. */
    const tell = (kind: string, id: string, body: object) => {
      const e = { id, kind, at: "2026-01-02T03:04:06Z" };
      calls.get(kind)!(body, e);
      calls.get("event")!(e, e);
    };
    const hear = (id: string, text: string) => tell("chat", `${id}/0-0`, { channel: "direct:bob", id, from: "bob", name: "Bob", text, at: "2026-01-02T03:04:06Z" });
    return { session, said, tell, hear };
  });
}

test("a message is counted once, in however many tabs it is heard, and not where it is read in one", () => {
  const [a, b] = tabs(2) as [ReturnType<typeof tabs>[0], ReturnType<typeof tabs>[0]];
  for (const tab of [a, b]) for (const id of ["1-0", "2-0"]) tab.hear(id, "hello");
  assert.deepEqual([a.session.unread, b.session.unread, a.said.length, b.said.length], [2, 2, 2, 2]);
  a.session.open("direct:bob");
  assert.deepEqual([a.session.unread, b.session.unread], [0, 0]);
  for (const tab of [a, b]) tab.hear("3-0", "still there?");
  for (const tab of [b, a]) tab.hear("4-0", "are you?");
  assert.deepEqual([a.session.unread, b.session.unread], [0, 0]);
});

test("each tab tells of a notification, and both have it once", () => {
  const [a, b] = tabs(2) as [ReturnType<typeof tabs>[0], ReturnType<typeof tabs>[0]];
  for (const tab of [a, b]) tab.tell("notification", "1-0/0-0", { title: "News" });
  assert.deepEqual([a.said, b.said], [["News"], ["News"]]);
  assert.deepEqual([a.session.unseen, b.session.unseen], [1, 1]);
});
