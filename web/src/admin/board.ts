// The numbers of now: totals, servers, games, queues.

import { byId, make, setText } from "../shared/dom.ts";
import { ask } from "./ask.ts";
import type { Admin } from "./api.ts";
import { brief, bytes, count, memory, micros, share, shortly, waited } from "./format.ts";
import type { Board } from "./link.ts";
import { Past } from "./past.ts";
import { Rows } from "./rows.ts";
import type { InGame, Node, Queue } from "./types.ts";

/** How a server is, in a word, and why. */
export function stateOf(n: Node): { word: string; state: "open" | "closed" | "gone"; why: string } {
  if (!n.Alive) return { word: "Silent", state: "gone", why: n.Closed };
  if (n.Draining) return { word: "Drains", state: "closed", why: "it takes no new rooms; those that run go on" };
  if (n.Role === "lobby") return { word: "Lobby", state: "open", why: "" };
  return n.Closed ? { word: "Closed", state: "closed", why: n.Closed } : { word: "Open", state: "open", why: "" };
}

export class Numbers {
  readonly #past = new Past();
  readonly #nodes: Rows<Node>;
  readonly #games = new Rows<InGame>(byId("games", HTMLTableElement), "No server has said what it runs.", [
    { head: true, text: (g) => g.Game },
    { number: true, text: (g) => count(g.Rooms) },
    { number: true, text: (g) => count(g.Players) },
    { number: true, text: (g) => count(g.Watching) },
  ]);
  readonly #queues = new Rows<Queue>(byId("queues", HTMLTableElement), "There are no queues.", [
    { head: true, text: (q) => q.Name },
    { text: (q) => q.Game },
    { number: true, text: (q) => count(q.Waiting) },
    { number: true, text: (q) => (q.P50 > 0 ? waited(q.P50) : "–") },
    { number: true, text: (q) => count(q.PerMinute) },
  ]);
  #shown = 0; // when the report was made that is plotted

  constructor(admin: () => Admin) {
    this.#nodes = new Rows<Node>(byId("nodes", HTMLTableElement), "No server is registered.", [
      { head: true, fill: (cell) => {
        const where = make("span", "why");
        const name = make("span");
        cell.append(name, where);
        return (n) => {
          setText(name, shortly(n.ID));
          name.title = n.ID;
          setText(where, [n.Role, n.Region].filter(Boolean).join(", "));
        };
      } },
      { fill: (cell) => {
        const word = make("span", "state");
        const why = make("span", "why");
        cell.append(word, why);
        return (n) => {
          const s = stateOf(n);
          setText(word, s.word);
          word.dataset["state"] = s.state;
          setText(why, s.why);
        };
      } },
      { number: true, fill: (cell) => {
        const bar = make("span", "bar");
        bar.setAttribute("aria-hidden", "true");
        const text = make("span");
        cell.append(bar, text);
        return (n) => {
          bar.style.setProperty("--share", `${n.Busy / 10}%`);
          setText(text, share(n.Busy));
        };
      } },
      { number: true, text: (n) => (n.P50 ? micros(n.P50) : "–") },
      { number: true, text: (n) => (n.P99 ? micros(n.P99) : "–") },
      { number: true, text: (n) => brief(n.TickRate) },
      { number: true, text: (n) => share(n.Late) },
      { number: true, text: (n) => count(n.Rooms) },
      { number: true, text: (n) => count(n.Players) },
      { number: true, text: (n) => count(n.Sockets) },
      { number: true, text: (n) => bytes(Number(n.OutRate)) },
      { number: true, text: (n) => (n.Limit ? `${memory(n.Heap)} of ${memory(n.Limit)}` : memory(n.Heap)) },
      { fill: (cell, id) => drainButton(cell, id, admin) },
    ]);
  }

  /** Shows what the board has. */
  show(board: Board): void {
    const status = board.value("Status");
    const t = board.value("Totals");
    if (!status || !t || status.At === 0) return;
    this.#nodes.show([...board.tables.Nodes].map(([, n]) => n).sort((a, b) => (a.ID < b.ID ? -1 : 1)).map((n) => [n.ID, n] as const));
    this.#games.show([...board.tables.Games].map(([, g]) => g).sort((a, b) => (a.Game < b.Game ? -1 : 1)).map((g) => [g.Game, g] as const));
    this.#queues.show([...board.tables.Queues].map(([, q]) => q).sort((a, b) => (a.Name < b.Name ? -1 : 1)).map((q) => [q.Name, q] as const));
    const say = (id: string, text: string) => setText(byId(id, HTMLElement), text);
    say("total-players", brief(t.Players));
    say("total-players-more", `${count(t.Sockets)} ${t.Sockets === 1 ? "socket" : "sockets"}${t.Watching ? `, ${count(t.Watching)} watch` : ""}`);
    say("total-rooms", brief(t.Rooms));
    say("total-rooms-more", t.Asleep ? `${count(t.Asleep)} asleep` : "all awake");
    say("total-waiting", brief(t.Waiting));
    say("total-waiting-more", `tickets in ${board.tables.Queues.size} ${board.tables.Queues.size === 1 ? "queue" : "queues"}`);
    say("total-tick", t.P99 ? micros(t.P99) : "–");
    say("total-tick-more", `p50 ${t.P50 ? micros(t.P50) : "–"}, busiest ${share(t.Busiest)}`);
    say("total-sent", bytes(Number(t.OutRate)));
    say("total-sent-more", `${brief(t.TickRate)} ticks a second`);
    say("total-nodes", count(t.Nodes));
    const gone = [...board.tables.Nodes].filter(([, n]) => !n.Alive).length;
    say("total-nodes-more", gone ? `${count(gone)} silent` : "all heard of");
    say("nodes-said", t.Left ? `${count(t.Left)} more are not listed.` : "");
    if (status.At === this.#shown) return;
    this.#shown = status.At;
    this.#past.show([...board.tables.History].map(([, p]) => p));
  }
}

/** A button that lets a server drain, or ends that. */
function drainButton(cell: HTMLElement, id: string, admin: () => Admin): (n: Node) => void {
  const button = make("button", "plain small");
  button.type = "button";
  cell.append(button);
  let drains = false;
  button.addEventListener("click", () => {
    const on = !drains;
    ask({
      title: on ? `Drain ${shortly(id)}?` : `Give ${shortly(id)} rooms again?`,
      text: on ? "It gets no new rooms. What runs on it goes on, until its end or until you take this back." : "New rooms may be placed on it from now on.",
      yes: on ? "Drain it" : "Give it rooms",
      act: async () => {
        await admin().drain(id, on);
        return on ? `Server ${shortly(id)} drains.` : `Server ${shortly(id)} takes rooms again.`;
      },
    });
  });
  return (n) => {
    drains = n.Draining;
    setText(button, drains ? "Undrain …" : "Drain …");
    button.setAttribute("aria-label", `${drains ? "Undrain" : "Drain"} server ${id}`);
    button.hidden = !n.Alive || n.Role === "lobby";
  };
}
