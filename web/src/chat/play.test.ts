import assert from "node:assert/strict";
import { test } from "node:test";

import type { Explanation, Ticket } from "@muster/client";
import { Play } from "./play.ts";
import type { Session } from "./session.ts";

const ticket = (state: Ticket["state"]) => ({ id: "k1", state, queue: "cards", players: ["me"], created_at: new Date().toISOString() }) as unknown as Ticket;

/** A lobby that answers when it is told to. */
function lobby(explained: string, got: Ticket["state"]) {
  const said: string[] = [];
  let answer = (_: Ticket) => {};
  const created = new Promise<Ticket>((resolve) => (answer = resolve));
  const asked: string[] = [];
  const session = {
    party: undefined,
    say: (text: string) => said.push(text),
    lobby: { createTicket: () => created },
    live: { ask: async (what: string) => {
      asked.push(what);
      return what === "ticket.explain" ? ({ state: explained, text: "", rules: [] } as unknown as Explanation) : ticket(got);
    } },
  } as unknown as Session;
  return { session, said, asked, answer };
}

test("a match that is told before the ticket's own answer has come is not forgotten for it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const state of ["matched", "confirming"] as const) {
    const { session, answer } = lobby("waiting", "waiting");
    const play = new Play(session, () => undefined);
    const joining = play.join("cards");
    play.told(ticket(state));
    answer(ticket("waiting"));
    await joining;
    assert.equal(play.ticket?.state, state);
  }
});

test("who asks why he waits and does not any more is told what became of it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { session, said, asked } = lobby("matched", "matched");
  let changed = () => {};
  const play = new Play(session, () => changed());
  play.told(ticket("waiting"));
  const told = new Promise<void>((resolve) => (changed = () => {
    if (play.ticket?.state === "matched") resolve();
  }));
  t.mock.timers.tick(0);
  await told;
  assert.deepEqual(asked, ["ticket.explain", "ticket.get"]);
  assert.deepEqual(said, ["Your match is ready"]);
});
