// The form before a match: a name, and whom to play with. A page's form has fields of these ids.

import { callsign, tidy } from "./callsign.ts";
import { isCode, tidyCode } from "./code.ts";
import { byId, setText, show } from "./dom.ts";
import { Prefs } from "./prefs.ts";

const NAME = "arena.callsign"; // one has the same name in all games

/** The ways into a match that all games have. */
export type CommonWay =
  | { kind: "players" }
  | { kind: "bots"; bots: number }
  | { kind: "friends"; code: string }; // "" makes a new room

/** What differs between the games' forms. */
export interface Asking<Other> {
  /** The id of the field of the name, what is said where it is empty, and how long it may be in bytes. */
  name: { id: string; wanted: string; most: number };
  /** Where the number of bots is kept, and what a text says of it, within what the game takes. */
  bots: { kept: string; of: (text: string | null | undefined) => number };
  /** A way that this game alone has. */
  other?: (kind: string) => Other | undefined;
}

export class JoinForm<Other extends { kind: string } = never> {
  readonly #asking: Asking<Other>;
  readonly #form = byId("join-form", HTMLFormElement);
  readonly #name: HTMLInputElement;
  readonly #bots = byId("bots", HTMLInputElement);
  readonly #code = byId("code", HTMLInputElement);
  readonly #play = byId("play", HTMLButtonElement);
  readonly #status = byId("join-status", HTMLElement);
  readonly #prefs = new Prefs();

  constructor(asking: Asking<Other>, on: { play: (name: string, way: CommonWay | Other) => void; cancel: () => void }) {
    this.#asking = asking;
    this.#name = byId(asking.name.id, HTMLInputElement);
    this.#name.value = this.#prefs.get(NAME) ?? callsign();
    this.#bots.value = String(asking.bots.of(this.#prefs.get(asking.bots.kept)));
    this.#form.addEventListener("submit", (e) => {
      e.preventDefault();
      if (this.busy) return on.cancel();
      const name = tidy(this.#name.value, asking.name.most);
      if (!name) {
        this.say(asking.name.wanted, true);
        return this.#name.focus();
      }
      const way = this.way;
      if (invites(way) && way.code && !isCode(way.code)) {
        this.say("A code has six letters and digits.", true);
        return this.#code.focus();
      }
      this.#name.value = name;
      this.#prefs.set(NAME, name);
      if (hasBots(way)) this.#prefs.set(asking.bots.kept, String(way.bots));
      on.play(name, way);
    });
    byId("shuffle", HTMLButtonElement).addEventListener("click", () => {
      this.#name.value = callsign();
      this.say("");
    });
    this.#form.addEventListener("input", () => this.#fit());
    this.#fit();
  }

  /** Whether a match is being found. */
  get busy(): boolean {
    return this.#form.classList.contains("busy");
  }

  get way(): CommonWay | Other {
    const kind = String(new FormData(this.#form).get("way"));
    if (kind === "bots") return { kind, bots: this.#asking.bots.of(this.#bots.value) };
    if (kind === "friends") return { kind, code: tidyCode(this.#code.value) };
    return this.#asking.other?.(kind) ?? { kind: "players" };
  }

  set way(way: CommonWay | Other) {
    for (const input of this.#form.querySelectorAll<HTMLInputElement>("input[name=way]")) input.checked = input.value === way.kind;
    if (hasBots(way)) this.#bots.value = String(way.bots);
    if (invites(way)) this.#code.value = way.code;
    this.#fit();
  }

  /** Puts the cursor where typing begins. */
  focus(): void {
    this.#name.focus({ preventScroll: true });
    if (matchMedia("(pointer: fine)").matches) this.#name.select();
  }

  /** Plays as if it had been submitted. */
  submit(): void {
    this.#form.requestSubmit();
  }

  /** Shows that a match is being found: the button takes it back then. */
  searching(): void {
    this.#form.classList.add("busy");
    this.#name.readOnly = true;
    setText(this.#play, "Cancel");
  }

  /** Nothing is being found: the form can be used. */
  idle(again = false): void {
    this.#form.classList.remove("busy");
    this.#name.readOnly = false;
    setText(this.#play, again ? "Try again" : "Play");
  }

  /** Says something below the form. */
  say(text: string, wrong = false): void {
    setText(this.#status, text);
    this.#status.classList.toggle("wrong", wrong);
    if (wrong || !text) this.idle();
  }

  #fit(): void {
    const { kind } = this.way;
    show(byId("bots-row", HTMLElement), kind === "bots");
    show(byId("code-row", HTMLElement), kind === "friends");
    setText(byId("bots-said", HTMLElement), this.#bots.value);
  }
}

function hasBots(way: { kind: string }): way is CommonWay & { kind: "bots" } {
  return way.kind === "bots";
}

function invites(way: { kind: string }): way is CommonWay & { kind: "friends" } {
  return way.kind === "friends";
}
