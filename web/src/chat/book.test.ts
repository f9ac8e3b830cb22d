import assert from "node:assert/strict";
import { test } from "node:test";

import { Prefs } from "../shared/prefs.ts";
import { Book, MOST_NOTICES } from "./book.ts";

function memory(): Prefs {
  const kept = new Map<string, string>();
  return new Prefs(() => ({
    getItem: (k) => kept.get(k) ?? null,
    setItem: (k, v) => void kept.set(k, v),
    removeItem: (k) => void kept.delete(k),
  }));
}

test("a book is read again as it was written, by its player alone", () => {
  const prefs = memory();
  const book = new Book(prefs, "ann");
  book.meet("bob", "Bob");
  book.note("direct:bob", { title: "Bob", at: 5, preview: "hi", unread: 2 });
  book.put({ id: "1-0/0-0", at: 7, title: "News", body: "", read: false });
  book.last = "1-0/0-0";
  const again = new Book(prefs, "ann");
  assert.deepEqual(again.contacts, [{ id: "bob", name: "Bob" }]);
  assert.deepEqual(again.entry("direct:bob"), { title: "Bob", at: 5, preview: "hi", unread: 2 });
  assert.equal(again.notices.length, 1);
  assert.equal(again.last, "1-0/0-0");
  assert.deepEqual(new Book(prefs, "bob").contacts, []);
});

test("names that mean something to the language are names", () => {
  const book = new Book(memory(), "ann");
  assert.equal(book.knows("constructor"), false);
  assert.equal(book.nameOf("__proto__"), "__proto__");
  book.meet("constructor", "Connie");
  assert.equal(book.nameOf("constructor"), "Connie");
  assert.equal(book.entry("direct:toString"), undefined);
});

test("notices come once, the newest first, and not without end", () => {
  const book = new Book(memory(), "ann");
  for (let i = 0; i < MOST_NOTICES + 5; i++) book.put({ id: `${i}`, at: i, title: "t", body: "", read: false });
  book.put({ id: "50", at: 50, title: "again", body: "", read: false });
  assert.ok(book.notices.every((n) => n.title === "t"));
  assert.equal(book.notices.length, MOST_NOTICES);
  assert.equal(book.notices[0]!.id, String(MOST_NOTICES + 4));
});

test("two tabs of one player write in the same book", () => {
  const prefs = memory();
  const [a, b] = [new Book(prefs, "ann"), new Book(prefs, "ann")];
  b.note("group:g", { title: "Group" });
  b.meet("bob", "Bob");
  b.put({ id: "1-0/0-0", at: 7, title: "News", body: "", read: false });
  a.last = "1-0/0-0";
  const again = new Book(prefs, "ann");
  assert.deepEqual([again.entry("group:g")?.title, again.nameOf("bob"), again.notices.length, again.last], ["Group", "Bob", 1, "1-0/0-0"]);
  assert.equal(a.entry("group:g")?.title, "Group"); // and each reads what the other has written
  a.drop("group:g");
  a.forget("bob");
  a.take("1-0/0-0");
  b.note("direct:cleo", { title: "Cleo" });
  assert.deepEqual(b.entries.map((e) => e.channel), ["direct:cleo"]); // what is removed does not come back
  assert.deepEqual([new Book(prefs, "ann").contacts, b.contacts, b.notices], [[], [], []]);
});

test("where a browser remembers nothing, or no more, the book holds for the visit", () => {
  const full = new Prefs(() => ({
    getItem: () => '{"entries":{"group:g":{"title":"Group","at":1,"preview":"","unread":0}}}',
    setItem: () => {
      throw new Error("full");
    },
    removeItem: () => {},
  }));
  const none = new Prefs(() => {
    throw new Error("not here");
  });
  for (const [prefs, entries] of [[full, 1], [none, 0]] as const) {
    const book = new Book(prefs, "ann");
    assert.equal(book.entries.length, entries);
    book.meet("bob", "Bob");
    book.last = "1-0/0-0";
    assert.deepEqual([book.contacts.length, book.entries.length, book.last], [1, entries, "1-0/0-0"]);
  }
});

test("what is no book is an empty one", () => {
  for (const text of ["", "null", "[]", "{", '{"contacts":{"a":1},"entries":{"x":null},"notices":{"length":3}}', '{"notices":[null,{"id":1}]}']) {
    const prefs = memory();
    prefs.set("chat.book.ann", text || undefined);
    const book = new Book(prefs, "ann");
    assert.deepEqual([book.contacts, book.entries, book.notices, book.last], [[], [], [], ""], text);
  }
});
