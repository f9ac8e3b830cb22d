import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, withoutGo } from "./ways.ts";

test("an address asks for a way that all games have, or for one that its game alone has", () => {
  const ask = (query: string) => asked(new URLSearchParams(query), (text) => Number(text ?? 3), (kind) => (kind === "crowd" ? { kind } : undefined));
  assert.deepEqual(ask("?go=bots&bots=5"), { way: { kind: "bots", bots: 5 }, go: true });
  assert.deepEqual(ask("?way=bots"), { way: { kind: "bots", bots: 3 }, go: false });
  assert.deepEqual(ask("?go=crowd"), { way: { kind: "crowd" }, go: true });
  assert.deepEqual(ask("?go=crowd&code=kfr-7wq"), { way: { kind: "friends", code: "KFR7WQ" }, go: true });
  assert.deepEqual(ask("?go=moon"), { way: undefined, go: false });
  assert.deepEqual(ask(""), { way: undefined, go: false });
});

test("an address that has begun once asks for the same, but not at once", () => {
  assert.equal(withoutGo("https://play.example/arena?go=bots&bots=5"), "https://play.example/arena?bots=5&way=bots");
  assert.equal(withoutGo("https://play.example/arena?way=crowd"), "https://play.example/arena?way=crowd");
});
