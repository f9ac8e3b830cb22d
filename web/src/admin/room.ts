// One room: who is in it, its state, and what an operator may do to it.

import type { AdminRoomDetail, Ordered } from "@muster/client";
import { byId, make, setText, show } from "../shared/dom.ts";
import { ask } from "./ask.ts";
import type { Admin } from "./api.ts";
import { ago, count } from "./format.ts";
import { doors } from "./rooms.ts";
import { treeOf } from "./tree.ts";
import { TreeView } from "./treeview.ts";
import { explain, missing } from "./words.ts";

const DETAIL_MS = 3000; // between two looks at who is in the room,
const STATE_MS = 1000; // and at its state while it is followed
const MOST_REASON = 120;
const MOST_TITLE = 100;
const MOST_BODY = 1000;

/** What is said of an order. */
const became = (o: Ordered, done: string): string => (o.state === "done" ? done : "The room has the order and has not said that it is done.");

export class RoomView {
  readonly #admin: () => Admin;
  readonly #tree = new TreeView(byId("state", HTMLTableElement));
  readonly #live = byId("state-live", HTMLInputElement);
  readonly #players = new Map<string, HTMLLIElement>();
  #id = "";
  #round = 0; // of rooms: answers about an older one do not count
  #detailTimer: ReturnType<typeof setTimeout> | undefined;
  #stateTimer: ReturnType<typeof setTimeout> | undefined;
  #looking = false; // at the state

  constructor(admin: () => Admin) {
    this.#admin = admin;
    byId("state-again", HTMLButtonElement).addEventListener("click", () => void this.#state());
    this.#live.addEventListener("change", () => {
      if (this.#live.checked) void this.#state();
    });
    byId("room-end", HTMLButtonElement).addEventListener("click", () => this.#end());
    byId("room-announce", HTMLButtonElement).addEventListener("click", () => announce(`Announce in room ${this.#id}`,
      "Everybody who is in the room hears of it, now or when he looks into his inbox.",
      async (title, body, key) => {
        const told = await this.#admin().announce(this.#id, title, body, key);
        return `Announced to ${count(told)} ${told === 1 ? "player" : "players"}.`;
      }));
  }

  /** Looks at a room until it is closed. What was open of the one that it has looked at last stays open. */
  open(id: string): void {
    this.close();
    if (id !== this.#id) this.#begin(id);
    void this.#detail(this.#round);
    void this.#state();
  }

  #begin(id: string): void {
    this.#id = id;
    setText(byId("room-title", HTMLElement), id);
    byId("room-facts", HTMLElement).replaceChildren();
    byId("players", HTMLElement).replaceChildren();
    this.#players.clear();
    this.#tree.clear();
    this.#live.checked = false;
    setText(byId("state-tick", HTMLElement), "");
    say("room-status", "", false);
    this.#usable(true);
    byId("room-title", HTMLElement).focus();
  }

  close(): void {
    this.#round++;
    this.#looking = false;
    clearTimeout(this.#detailTimer);
    clearTimeout(this.#stateTimer);
  }

  async #detail(round: number): Promise<void> {
    clearTimeout(this.#detailTimer);
    try {
      const room = await this.#admin().room(this.#id);
      if (round !== this.#round) return;
      this.#show(room);
      say("room-status", room.ended ? `It is over: ${room.ended}.` : "", false);
      this.#usable(true);
    } catch (error) {
      if (round !== this.#round) return;
      say("room-status", missing(error) ? "There is no such room now." : explain(error), true);
      if (missing(error)) this.#usable(false);
    }
    this.#detailTimer = setTimeout(() => void this.#detail(round), DETAIL_MS);
  }

  #usable(on: boolean): void {
    for (const id of ["room-end", "room-announce", "state-again"]) byId(id, HTMLButtonElement).disabled = !on;
    this.#live.disabled = !on;
    if (on) return;
    this.#live.checked = false;
    for (const item of this.#players.values()) item.querySelector("button")?.remove();
  }

  #show(r: AdminRoomDetail): void {
    const facts: [string, string][] = [
      ["Game", `${r.game}, rules ${r.rules}`], ["Server", r.node], ["Seats", `${r.players} of ${r.seats} taken, ${r.free} free`], ["Doors", doors(r)],
      ["Made by", r.owner ? `player ${r.owner}` : r.queue ? `queue ${r.queue}` : "–"], ["Age", ago((Date.now() - Date.parse(r.created_at)) / 1000)],
    ];
    if (r.title) facts.unshift(["Title", r.title]);
    if (r.region) facts.push(["Region", r.region]);
    if (r.on) facts.push(["Needs a server with", Object.entries(r.on).map(([name, value]) => `${name}=${value}`).sort().join(", ")]);
    const list = byId("room-facts", HTMLElement);
    list.replaceChildren(...facts.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value))));
    const people = [...r.seated.map((p) => [p, true] as const), ...r.coming.map((p) => [p, false] as const)];
    const players = byId("players", HTMLElement);
    const wanted = new Set(people.map(([p]) => p));
    for (const [player, item] of this.#players) {
      if (wanted.has(player)) continue;
      item.remove();
      this.#players.delete(player);
    }
    players.querySelector(".nobody")?.remove();
    if (people.length === 0) players.append(make("li", "nobody hint", "Nobody is in it now."));
    for (const [player, here] of people) {
      let item = this.#players.get(player);
      if (!item) {
        this.#players.set(player, (item = make("li", "", make("span", "", player), make("em", "hint"))));
        players.append(item);
      }
      setText(item.querySelector("em") ?? item, here ? "" : "on the way");
      const button = item.querySelector("button");
      if (here && !button) item.append(this.#kickButton(player));
      if (!here) button?.remove();
    }
  }

  async #state(): Promise<void> {
    clearTimeout(this.#stateTimer);
    if (this.#looking) return;
    const round = this.#round;
    this.#looking = true;
    try {
      const state = await this.#admin().state(this.#id);
      if (round !== this.#round) return;
      this.#tree.show(treeOf(state), this.#live.checked);
      setText(byId("state-tick", HTMLElement), `at tick ${count(state.tick)}`);
      say("state-status", state.tables.length ? "" : "It has no tables.", false);
    } catch (error) {
      if (round !== this.#round) return;
      say("state-status", missing(error) ? "" : explain(error), true);
    }
    this.#looking = false;
    if (this.#live.checked) this.#stateTimer = setTimeout(() => void this.#state(), STATE_MS);
  }

  #kickButton(player: string): HTMLButtonElement {
    const button = make("button", "plain small danger", "Kick …");
    button.type = "button";
    button.setAttribute("aria-label", `Kick ${player}`);
    const room = this.#id;
    button.addEventListener("click", () => ask({
      title: `Kick ${player}?`, text: "The player is sent out of the room and sees the reason. His seat is free, and he may come back where others may.",
      yes: "Kick", danger: true, fields: [reason],
      act: async ({ reason: why = "" }, key) => {
        const done = await this.#admin().kick(room, player, why, key);
        void this.#detail(this.#round);
        return became(done, `${player} is sent out.`);
      },
    }));
    return button;
  }

  #end(): void {
    const room = this.#id;
    ask({
      title: "End this match?", text: `Everybody is sent out of room ${room} and sees the reason. Nobody wins, and what the room has kept is gone.`,
      yes: "End the match", danger: true, fields: [reason],
      act: async ({ reason: why = "" }, key) => {
        const done = await this.#admin().end(room, why, key);
        void this.#detail(this.#round);
        return became(done, "The match is over.");
      },
    });
  }
}

const reason = { name: "reason", label: "Reason, which players see", most: MOST_REASON, required: true };

/** Asks for an announcement, and makes it. */
export function announce(title: string, text: string, act: (title: string, body: string, key: string) => Promise<string>): void {
  ask({
    title, text, yes: "Announce",
    fields: [
      { name: "title", label: "Headline", most: MOST_TITLE, required: true },
      { name: "body", label: "More, if there is more to say", most: MOST_BODY, lines: 3 },
    ],
    act: ({ title = "", body = "" }, key) => act(title, body, key),
  });
}

function say(id: string, text: string, wrong: boolean): void {
  const status = byId(id, HTMLElement);
  setText(status, text);
  status.classList.toggle("wrong", wrong);
  show(status, text !== "");
}
