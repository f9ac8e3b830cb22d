// Who is at the page: in development anybody, as a guest; elsewhere who has a token with the role admin. A token is kept
// by the tab alone, until it is closed.

import { Lobby } from "@muster/client";
import { byId, setText, show } from "../shared/dom.ts";
import { Prefs } from "../shared/prefs.ts";
import { Admin } from "./api.ts";
import { explain, refused } from "./words.ts";

/** An operator who may be here. */
export interface Session {
  lobby: Lobby;
  admin: Admin;
  /** Nobody signed in: the server is one of development. */
  guest: boolean;
}

const TOKEN = "admin.token";
const GUEST = "admin.guest";
const NAME = "operator";
const FIRST_PAUSE = 1000; // ms before it is tried again,
const LONGEST_PAUSE = 8000; // each time twice as long

export class SignIn {
  readonly #kept = new Prefs(() => sessionStorage);
  readonly #form = byId("token-form", HTMLFormElement);
  readonly #token = byId("token", HTMLTextAreaElement);
  readonly #status = byId("token-status", HTMLElement);
  readonly #on: { in: (session: Session) => void; asked: () => void; away: (why: string) => void };

  /** in hears of an operator, asked that the form is shown, away that the server does not answer. */
  constructor(on: { in: (session: Session) => void; asked: () => void; away: (why: string) => void }) {
    this.#on = on;
    this.#form.addEventListener("submit", (e) => {
      e.preventDefault();
      void this.#submit();
    });
  }

  /** Signs in with what there is: a token that the tab has kept, or as a guest; else it asks for a token. */
  async begin(): Promise<void> {
    const kept = this.#kept.get(TOKEN);
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return kept ? await this.#enter(kept) : await this.#asGuest();
      } catch (error) {
        if (refused(error)) return this.ask(kept ? explain(error) : "");
        this.#on.away(explain(error));
        await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
      }
    }
  }

  /** Shows the form, and why. */
  ask(why: string): void {
    this.#kept.set(TOKEN, undefined);
    show(byId("sign-in", HTMLElement), true);
    this.#say(why, why !== "");
    this.#on.asked();
    this.#token.value = "";
    this.#token.focus();
  }

  /** Forgets the token. */
  out(): void {
    this.ask("");
    this.#say("You are signed out.", false);
  }

  async #asGuest(): Promise<void> {
    const lobby = new Lobby(location.origin);
    const admin = new Admin(lobby);
    await admin.check(); // without a token: only in development
    await lobby.guest(NAME, { token: this.#kept.get(GUEST) });
    this.#kept.set(GUEST, lobby.token);
    this.#done({ lobby, admin, guest: true });
  }

  async #enter(token: string): Promise<void> {
    const lobby = new Lobby(location.origin, { token });
    const admin = new Admin(lobby);
    await admin.check();
    this.#kept.set(TOKEN, token);
    this.#done({ lobby, admin, guest: false });
  }

  async #submit(): Promise<void> {
    const token = this.#token.value.replace(/\s+/g, "");
    if (!token) {
      this.#say("A token, please.", true);
      return this.#token.focus();
    }
    const button = this.#form.querySelector("button");
    this.#say("Signing in …", false);
    if (button) button.disabled = true;
    try {
      await this.#enter(token);
    } catch (error) {
      this.#say(explain(error), true);
      this.#token.focus();
    } finally {
      if (button) button.disabled = false;
    }
  }

  #done(session: Session): void {
    this.#token.value = "";
    this.#say("", false);
    show(byId("sign-in", HTMLElement), false);
    this.#on.in(session);
  }

  #say(text: string, wrong: boolean): void {
    setText(this.#status, text);
    this.#status.classList.toggle("wrong", wrong);
  }
}
