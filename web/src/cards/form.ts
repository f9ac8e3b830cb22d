// The form before a match: a name, and whom to play with.

import { callsign, tidy } from "../shared/callsign.ts";
import { isCode, tidyCode } from "../shared/code.ts";
import { byId, setText, show } from "../shared/dom.ts";
import { Prefs } from "../shared/prefs.ts";
import { bots, type Way } from "./ways.ts";
import { MAX_NAME } from "./world.ts";

const NAME = "arena.callsign"; // one has the same name in all games
const BOTS = "cards.bots";

export class JoinForm {
  readonly #form = byId("join-form", HTMLFormElement);
  readonly #name = byId("name", HTMLInputElement);
  readonly #bots = byId("bots", HTMLInputElement);
  readonly #code = byId("code", HTMLInputElement);
  readonly #play = byId("play", HTMLButtonElement);
  readonly #status = byId("join-status", HTMLElement);
  readonly #prefs = new Prefs();

  constructor(on: { play: (name: string, way: Way) => void; cancel: () => void }) {
    this.#name.value = this.#prefs.get(NAME) ?? callsign();
    this.#bots.value = String(bots(this.#prefs.get(BOTS)));
    this.#form.addEventListener("submit", (e) => {
      e.preventDefault();
      if (this.busy) return on.cancel();
      const name = tidy(this.#name.value, MAX_NAME);
      if (!name) {
        this.say("A name, please.", true);
        return this.#name.focus();
      }
      const way = this.way;
      if (way.kind === "friends" && way.code && !isCode(way.code)) {
        this.say("A code has six letters and digits.", true);
        return this.#code.focus();
      }
      this.#name.value = name;
      this.#prefs.set(NAME, name);
      if (way.kind === "bots") this.#prefs.set(BOTS, String(way.bots));
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

  get way(): Way {
    const kind = new FormData(this.#form).get("way");
    if (kind === "players") return { kind };
    if (kind === "friends") return { kind, code: tidyCode(this.#code.value) };
    return { kind: "bots", bots: bots(this.#bots.value) };
  }

  set way(way: Way) {
    for (const input of this.#form.querySelectorAll<HTMLInputElement>("input[name=way]")) input.checked = input.value === way.kind;
    if (way.kind === "bots") this.#bots.value = String(way.bots);
    if (way.kind === "friends") this.#code.value = way.code;
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
