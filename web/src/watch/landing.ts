// The first screen: what can be watched now, what one has played, and a place to drop a file.

import type { Lobby, PlayedMatch, RoomInfo } from "@muster/client";
import { byId, make, setText, show } from "../shared/dom.ts";
import { explain } from "../shared/seating.ts";
import { capital } from "../shared/sentence.ts";
import { path, type Wish } from "./address.ts";
import { ago } from "./time.ts";

const EVERY = 5000; // ms between two looks at the rooms

export interface LandingOptions {
  lobby(): Promise<Lobby>;
  go(w: Wish): void;
  file(file: File, as: string): void;
}

export class Landing {
  readonly #o: LandingOptions;
  readonly #screen = byId("landing", HTMLElement);
  readonly #rooms = byId("rooms", HTMLUListElement);
  readonly #roomsSay = byId("rooms-say", HTMLElement);
  readonly #none = byId("rooms-none", HTMLElement);
  readonly #played = byId("played", HTMLUListElement);
  readonly #playedSay = byId("played-say", HTMLElement);
  readonly #drop = byId("drop", HTMLElement);
  readonly #file = byId("file", HTMLInputElement);
  readonly #as = byId("as", HTMLSelectElement);
  readonly #says = byId("file-says", HTMLElement);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0; // of visits: what is asked for in an earlier one does not count
  #drawn = "";

  constructor(options: LandingOptions) {
    this.#o = options;
    this.#file.addEventListener("change", () => {
      const [file] = this.#file.files ?? [];
      if (file) this.#take(file);
      this.#file.value = "";
    });
    for (const name of ["dragenter", "dragover"]) {
      addEventListener(name, (e) => {
        if (!(e as DragEvent).dataTransfer?.types.includes("Files")) return;
        e.preventDefault();
        this.#drop.classList.add("over");
      });
    }
    addEventListener("dragleave", (e) => {
      if (!(e as DragEvent).relatedTarget) this.#drop.classList.remove("over");
    });
    addEventListener("drop", (e) => {
      this.#drop.classList.remove("over");
      const [file] = (e as DragEvent).dataTransfer?.files ?? [];
      if (!file) return;
      e.preventDefault();
      this.#take(file);
    });
  }

  open(): void {
    show(this.#screen, true);
    clearTimeout(this.#timer);
    void this.#look(++this.#round, true);
  }

  close(): void {
    show(this.#screen, false);
    clearTimeout(this.#timer);
    this.#round++;
  }

  /** Says what becomes of a file. */
  say(text: string, wrong = false): void {
    setText(this.#says, text);
    this.#says.classList.toggle("wrong", wrong);
  }

  #take(file: File): void {
    if (file.size > 32 << 20) return this.say(`${file.name} has ${Math.ceil(file.size / (1 << 20))} MiB; at most 32 can be shown.`, true);
    this.say(`Sending ${file.name} …`);
    this.#o.file(file, this.#as.value);
  }

  /** Looks now, and a while after each answer; first until what was played is known, too. */
  async #look(round: number, first: boolean): Promise<void> {
    try {
      if (!document.hidden || first) await this.#ask(round, first);
      first = false;
    } catch (error) {
      if (round !== this.#round) return;
      setText(this.#roomsSay, `${explain(error)} Trying again …`);
      show(this.#none, false);
    }
    if (round === this.#round) this.#timer = setTimeout(() => void this.#look(round, first), EVERY);
  }

  async #ask(round: number, first: boolean): Promise<void> {
    const lobby = await this.#o.lobby();
    const { rooms } = await lobby.rooms.list({ limit: 50 });
    if (round !== this.#round) return;
    this.#list((rooms ?? []).filter((r) => r.watch && r.players > 0));
    setText(this.#roomsSay, "");
    if (!first) return;
    const { matches } = await lobby.request("GET /v1/me/matches", { limit: 10 });
    if (round === this.#round) this.#listPlayed(matches);
  }

  #list(rooms: readonly RoomInfo[]): void {
    show(this.#none, rooms.length === 0);
    const now = Date.now();
    const drawn = JSON.stringify(rooms.map((r) => [r.id, r.players, ago(r.created_at, now)]));
    if (drawn === this.#drawn) return; // who is about to press one does not lose it
    this.#drawn = drawn;
    this.#rooms.replaceChildren(...rooms.map((r) => this.#card({ kind: "room", id: r.id }, r.title || `${capital(r.game)} match`, [
      ...(r.title ? [capital(r.game)] : []), `${r.players} of ${r.seats} playing`, `began ${ago(r.created_at, now)}`,
    ], "Live")));
  }

  #listPlayed(matches: readonly PlayedMatch[]): void {
    setText(this.#playedSay, matches.length ? "" : "None yet. A match that you play to its end is listed here, and its replay, where it was recorded.");
    const now = Date.now();
    this.#played.replaceChildren(...matches.map((m) => {
      const about = [m.rank ? `rank ${m.rank} of ${m.players}` : `${m.players} players`, `${m.score} points`, ago(m.ended_at, now)];
      if (m.replay) return this.#card({ kind: "match", id: m.room, as: "" }, `${capital(m.game)} match`, about, "Replay");
      const why = m.recorded ? "Its replay is not kept any more, or not for players." : "It was not recorded.";
      return make("li", "card dull", make("b", "", `${capital(m.game)} match`), make("span", "about", about.join(" · ")), make("span", "about", why));
    }));
  }

  #card(w: Wish, title: string, about: string[], badge: string): HTMLLIElement {
    const a = make("a", "", make("b", "", title), make("span", "about", about.join(" · ")), make("span", `badge ${badge.toLowerCase()}`, badge));
    a.href = path(w);
    a.addEventListener("click", (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
      e.preventDefault();
      this.#o.go(w);
    });
    return make("li", "card", a);
  }
}
