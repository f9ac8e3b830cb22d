// One conversation: its messages, what can be written, and who is in it.

import type { Channel } from "@muster/client";
import { Rows } from "../shared/chatrows.ts";
import { byId, setText, show } from "../shared/dom.ts";
import { refusal, type Talk } from "../shared/talk.ts";
import { Drafts } from "./drafts.ts";
import { button, redraw } from "./render.ts";
import type { Session } from "./session.ts";
import { names, stateText } from "./words.ts";

const log = byId("log", HTMLElement);
const older = byId("older", HTMLButtonElement);
const form = byId("say-form", HTMLFormElement);
const input = byId("say", HTMLTextAreaElement);
const inviteForm = byId("invite-form", HTMLFormElement);
const inviteWho = byId("invite-who", HTMLInputElement);
const status = byId("talk-status", HTMLElement);

export class TalkView {
  readonly #s: Session;
  readonly #go: (hash: string) => void;
  readonly #drafts: Drafts;
  #rows: Rows;
  #channel: Channel | undefined;
  #loading = false;

  constructor(s: Session, go: (hash: string) => void) {
    this.#s = s;
    this.#go = go;
    this.#drafts = new Drafts(s.me.id);
    this.#rows = new Rows(log, s.me.id, {
      dropped: (text) => {
        input.value = text;
        this.#keep();
        input.focus();
      },
    });
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#say();
    });
    input.addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
      e.preventDefault();
      this.#say();
    });
    input.addEventListener("input", () => {
      this.#keep();
      grow();
    });
    older.addEventListener("click", () => void this.#older());
    log.addEventListener("scroll", () => {
      if (log.scrollTop < 60) void this.#older();
    });
    inviteForm.addEventListener("submit", (e) => {
      e.preventDefault();
      const channel = this.#channel;
      const who = s.who(inviteWho.value);
      if (!who || !channel?.startsWith("group:")) return;
      this.#do(() => s.lobby.request("POST /v1/groups/{id}/invite", { id: channel.slice(6), player: who }), `${s.nameOf(who)} is invited.`);
      inviteWho.value = "";
      this.#inviting(false);
    });
  }

  /** Shows a conversation. */
  open(channel: Channel): void {
    if (this.#channel === channel) return;
    this.close();
    this.#channel = channel;
    this.#rows.clear();
    setText(status, "");
    this.#inviting(false);
    input.value = this.#drafts.get(channel);
    grow();
    const talk = this.#s.open(channel);
    if (channel.startsWith("group:")) void this.#s.readGroup(channel.slice(6)).catch(() => undefined);
    this.#load(talk);
    if (matchMedia("(pointer: fine)").matches) input.focus({ preventScroll: true });
    else byId("talk-title", HTMLElement).focus({ preventScroll: true });
  }

  close(): void {
    this.#channel = undefined;
    this.#s.reading = undefined;
  }

  /** Forgets what is being written: its player has signed out. */
  forget(): void {
    this.#drafts.clear();
  }

  draw(): void {
    const channel = this.#channel;
    if (!channel) return;
    const s = this.#s;
    if (s.reading !== channel) return this.#go("#people"); // it is gone
    const talk = s.talk(channel);
    const id = channel.slice(channel.indexOf(":") + 1);
    setText(byId("talk-title", HTMLElement), s.title(channel));
    const sub = byId("talk-sub", HTMLElement);
    const group = s.groups.get(id);
    if (channel.startsWith("direct:")) {
      const muted = s.blocks.has(id) ? ", blocked" : s.mutes.has(id) ? ", muted" : "";
      setText(sub, stateText(s.state(id)) + muted);
    } else if (channel.startsWith("party:")) {
      setText(sub, s.party ? this.#members(s.party.members) : "");
    } else {
      setText(sub, group ? this.#members(group.members) : "");
    }
    const about = { channel, muted: s.mutes.has(id), blocked: s.blocks.has(id) };
    redraw(byId("talk-actions", HTMLElement), about, () => this.#actions(channel, id));
    show(older, Boolean(talk.older));
    this.#rows.draw(talk);
    log.classList.toggle("loading", !talk.loaded);
    s.read();
  }

  /** Who is in it, oneself last. */
  #members(list: readonly { player: string; name: string }[]): string {
    const others = list.filter((m) => m.player !== this.#s.me.id).map((m) => m.name);
    return others.length ? names([...others, "you"], 4) : "Only you so far";
  }

  #actions(channel: Channel, id: string): HTMLElement[] {
    const s = this.#s;
    if (channel.startsWith("direct:")) {
      const muted = s.mutes.has(id);
      const blocked = s.blocks.has(id);
      const name = s.nameOf(id);
      return [
        button(muted ? "Unmute" : "Mute", "mute", () => this.#do(() => s.mute(id, !muted), muted ? `You read ${name} again.` : `You no longer read what ${name} writes. ${name} is not told.`)),
        button(blocked ? "Unblock" : "Block", "block", () => this.#do(() => s.block(id, !blocked), blocked ? `${name} may write to you again.` : `${name} cannot write to you any more, and is not told.`)),
      ];
    }
    if (channel.startsWith("group:")) {
      const invite = button("Invite", "invite", () => this.#inviting(inviteForm.hasAttribute("hidden")));
      invite.setAttribute("aria-controls", "invite-form");
      return [invite, button("Leave", "leave", () => this.#do(() => s.leaveGroup(id), ""))];
    }
    return [button("To the party", "play", () => this.#go("#play"))];
  }

  #inviting(on: boolean): void {
    show(inviteForm, on);
    if (on) inviteWho.focus();
  }

  #say(): void {
    const text = input.value.trim();
    if (!text || !this.#channel) return;
    input.value = "";
    this.#keep();
    grow();
    const talk = this.#s.talk(this.#channel);
    void talk.say(text);
    log.scrollTop = log.scrollHeight;
  }

  #keep(): void {
    if (this.#channel) this.#drafts.set(this.#channel, input.value);
  }

  #load(talk: Talk): void {
    talk.load().then(() => {
      log.scrollTop = log.scrollHeight;
    }, (error: unknown) => setText(status, refusal(error)));
  }

  async #older(): Promise<void> {
    if (this.#loading || !this.#channel) return;
    const talk = this.#s.talk(this.#channel);
    if (!talk.older) return;
    this.#loading = true;
    try {
      await talk.more();
    } catch (error) {
      setText(status, refusal(error));
    } finally {
      this.#loading = false;
    }
  }

  #do(act: () => Promise<unknown>, done: string): void {
    act().then(() => setText(status, done), (error: unknown) => setText(status, refusal(error)));
  }
}

/** The field is as high as what is in it, up to a few lines. */
function grow(): void {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight + 2, 140)}px`;
}
