// People: whom one knows and how they are, and who may see oneself.

import { byId, make, setText, show } from "../shared/dom.ts";
import { refusal } from "../shared/talk.ts";
import { button, initial, presence, redraw } from "./render.ts";
import type { Session } from "./session.ts";
import { hrefOf } from "./side.ts";
import { stateText } from "./words.ts";

const status = byId("people-status", HTMLElement);
const addId = byId("add-id", HTMLInputElement);
const watch = byId("watch", HTMLFieldSetElement);
const RANK = { in_match: 0, in_queue: 1, online: 2, offline: 3 };

export class PeopleView {
  readonly #s: Session;

  constructor(s: Session) {
    this.#s = s;
    byId("add-form", HTMLFormElement).addEventListener("submit", (e) => {
      e.preventDefault();
      const id = addId.value.trim();
      if (!id) return addId.focus();
      s.add(id).then((name) => {
        addId.value = "";
        setText(status, `${name} is in your list.`);
      }, (error: unknown) => setText(status, error instanceof Error && error.name === "Error" ? error.message : refusal(error)));
    });
    watch.addEventListener("change", () => {
      const value = watch.querySelector<HTMLInputElement>("input:checked")?.value;
      if (value !== "everyone" && value !== "party" && value !== "nobody") return;
      s.setWatch(value).then(() => setText(status, "Saved."), (error: unknown) => setText(status, refusal(error)));
    });
  }

  draw(): void {
    const s = this.#s;
    const list = s.book.contacts.map(({ id, name }) => ({
      id, name, state: s.state(id) ?? "offline", muted: s.mutes.has(id), blocked: s.blocks.has(id), party: s.party !== undefined && !s.party.members.some((m) => m.player === id),
    }));
    list.sort((a, b) => RANK[a.state] - RANK[b.state] || a.name.localeCompare(b.name));
    show(byId("people-empty", HTMLElement), list.length === 0);
    redraw(byId("people", HTMLElement), list, () => list.map((p) => {
      const talk = make("a", "plain small link", "Message");
      talk.href = hrefOf(`direct:${p.id}`);
      talk.dataset["id"] = `talk ${p.id}`;
      talk.setAttribute("aria-label", `Message ${p.name}`);
      const act = (text: string, id: string, what: () => Promise<unknown>, done: string) =>
        button(text, `${id} ${p.id}`, () => this.#do(what, done), "plain small", `${text} ${p.name}`);
      const actions = make("span", "actions", talk);
      if (p.party) actions.append(act("Invite", "invite", () => s.lobby.parties.invite(p.id), `${p.name} is invited to the party.`));
      actions.append(
        act(p.muted ? "Unmute" : "Mute", "mute", () => s.mute(p.id, !p.muted), p.muted ? `You read ${p.name} again.` : `You no longer read ${p.name}.`),
        act(p.blocked ? "Unblock" : "Block", "block", () => s.block(p.id, !p.blocked), p.blocked ? `${p.name} is no longer blocked.` : `${p.name} is blocked.`),
        act("Forget", "forget", async () => {
          s.book.forget(p.id);
          s.rewatch();
          this.draw();
        }, `${p.name} is out of your list.`),
      );
      const said = p.blocked ? "blocked" : p.muted ? `${stateText(p.state)}, muted` : stateText(p.state);
      const row = make("li", "person", initial(p.name), make("span", "words", make("b", "title", p.name), presence(p.state, said)), actions);
      row.dataset["player"] = p.id;
      return row;
    }));
    for (const input of watch.querySelectorAll("input")) input.checked = input.value === s.watch;
  }

  #do(act: () => Promise<unknown>, done: string): void {
    act().then(() => setText(status, done), (error: unknown) => setText(status, refusal(error)));
  }
}
