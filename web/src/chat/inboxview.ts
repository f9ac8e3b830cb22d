// Notifications: what was sent to the player, also while he was away, and invitations.

import { byId, make, setText, show } from "../shared/dom.ts";
import { refusal } from "../shared/talk.ts";
import type { Notice } from "./book.ts";
import { button, redraw } from "./render.ts";
import type { Session } from "./session.ts";
import { hrefOf } from "./side.ts";
import { ago } from "./words.ts";

const status = byId("inbox-status", HTMLElement);

export class InboxView {
  readonly #s: Session;
  readonly #go: (hash: string) => void;

  constructor(s: Session, go: (hash: string) => void) {
    this.#s = s;
    this.#go = go;
  }

  /** open says that they are being looked at. */
  draw(open: boolean): void {
    const s = this.#s;
    const list = s.book.notices.map((n) => ({ ...n, when: ago(n.at), over: n.join?.until !== undefined && n.join.until < Date.now() }));
    show(byId("notices-empty", HTMLElement), list.length === 0);
    redraw(byId("notices", HTMLElement), list, () => list.map((n) => {
      const actions = make("span", "actions");
      if (n.join && !n.over) actions.append(button("Join", `join ${n.id}`, () => void this.#join(n), "primary small", `Join: ${n.title}`));
      actions.append(button("Dismiss", `dismiss ${n.id}`, () => {
        s.book.take(n.id);
        this.draw(open);
      }, "plain small", `Dismiss: ${n.title}`));
      const time = make("time", "when", n.when);
      time.dateTime = new Date(n.at).toISOString();
      const words = make("div", "words", make("p", "title", make("b", "", n.title), " ", time));
      if (n.body) words.append(make("p", "text", n.body));
      if (n.over) words.append(make("p", "soft", "The invitation has run out."));
      return make("li", n.read ? "notice" : "notice new", words, actions);
    }));
    if (open && s.unseen > 0 && !document.hidden) s.book.readAll();
  }

  async #join(n: Notice): Promise<void> {
    const s = this.#s;
    if (!n.join) return;
    try {
      if (n.join.kind === "group") {
        const channel = await s.joinGroup(n.join.id);
        s.book.take(n.id);
        this.#go(hrefOf(channel));
      } else {
        s.setParty(await s.lobby.parties.accept(n.join.id));
        s.book.take(n.id);
        this.#go("#play");
      }
    } catch (error) {
      setText(status, refusal(error));
    }
  }
}
