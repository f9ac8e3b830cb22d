import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { PodiumScreen } from "./podium.ts";
import type { Rank } from "./ranking.ts";

/** As much of an element as the podium uses. writes counts what it was told to be. */
class FakeElement {
  children: unknown[] = [];
  writes = 0;
  focused = 0;
  className = "";
  readonly style = { setProperty: () => {} };
  readonly #attributes = new Set<string>();
  #text = "";

  get hidden(): boolean {
    return this.#attributes.has("hidden");
  }

  get textContent(): string {
    return this.#text;
  }

  set textContent(text: string) {
    this.#text = text;
    this.writes++;
  }

  hasAttribute = (name: string) => this.#attributes.has(name);
  setAttribute = (name: string) => void this.#attributes.add(name);
  toggleAttribute = (name: string, on: boolean) => void (on ? this.#attributes.add(name) : this.#attributes.delete(name));
  append = (...children: unknown[]) => void this.children.push(...children);
  replaceChildren = (...children: unknown[]) => void (this.children = children);
  addEventListener = () => {};
  focus = () => void this.focused++;
}

/** A page of such elements, by their ids. */
function page(t: TestContext): (id: string) => FakeElement {
  const byId = new Map<string, FakeElement>();
  const element = (id: string) => byId.get(id) ?? byId.set(id, new FakeElement()).get(id)!;
  const make = () => new FakeElement();
  const globals = {
    document: { getElementById: element, createElement: make, createElementNS: make },
    HTMLElement: FakeElement, HTMLOListElement: FakeElement, HTMLButtonElement: FakeElement,
  };
  Object.assign(globalThis, globals);
  t.after(() => {
    for (const name in globals) delete (globalThis as Record<string, unknown>)[name];
  });
  element("podium").setAttribute("hidden");
  return element;
}

const ranks = (score: number): Rank[] => [1, 2].map((seat) => {
  return { rank: seat, seat, name: `pilot ${seat}`, score: score - seat, deaths: 0, away: false };
});

test("a podium that shows the same again leaves its rows, and its status but for the seconds", (t) => {
  const element = page(t);
  const podium = new PodiumScreen({ again: () => {}, leave: () => {} });
  const [places, status] = [element("podium-places"), element("podium-status")];
  podium.show(ranks(5), 1, 2);
  podium.countdown(9.5);
  const rows = places.children;
  const writes = status.writes;
  assert.equal(rows.length, 2);
  for (let i = 0; i < 3; i++) {
    podium.show(ranks(5), 1, 2);
    podium.countdown(9.4);
  }
  assert.equal(places.children, rows);
  assert.equal(status.writes, writes, "who listens to the page hears it once");
  podium.countdown(8.9);
  assert.deepEqual([status.textContent, status.writes], ["Next match in 9 s", writes + 1]);

  podium.show(ranks(6), 1, 2);
  assert.notEqual(places.children, rows, "another score");
  const [other] = [places.children];
  podium.show(ranks(6), 1, 1);
  assert.notEqual(places.children, other, "another's view");

  podium.hide();
  podium.show(ranks(6), 1, 1);
  assert.deepEqual([status.textContent, element("podium").hidden, element("podium").focused], ["", false, 0]);
  assert.equal(element("podium-title").focused, 2, "each time that it opens");
});
