// A small chat for the page of any game: what the players of a room write to each other, and to their team. Mounted beside
// the game, it takes no key but Enter, and that one only while nothing else has the focus.
//
//   const unmount = mountRoomChat(document.body, lobby, seat.room, { team: true });

import { APIError } from "@muster/client";
import type { ChatEvent, Live, Lobby, LobbyEvent, Muting } from "@muster/client";
import { Rows } from "./chatrows.ts";
import { make, setText, show } from "./dom.ts";
import { refusal, Talk, type Line } from "./talk.ts";

/** How a room's chat is mounted. */
export interface RoomChatOptions {
  /** Whether there is a channel of the player's team, too. */
  team?: boolean;
  /** Whether the player may mute others in the room: its maker, or a moderator. */
  moderate?: boolean;
  /** The lobby's socket, where the page has one. None: the panel opens one, and closes it. */
  live?: Live;
  /** Where the focus goes when the chat is left with Escape. */
  back?: HTMLElement;
}

const MOST_TEXT = 500;
const AGAIN_MS = 2000; // before another attempt to read a channel, as the seat may be about to be taken; each time twice as long,
const LONGEST_MS = 60_000; // up to this
const MUTE_MINUTES = 10;

let panels = 0;

/** Mounts the chat of a room in which the player has a seat. Returns what takes it away. */
export function mountRoomChat(parent: HTMLElement, lobby: Lobby, room: string, options: RoomChatOptions = {}): () => void {
  const panel = new RoomChat(parent, lobby, room, options);
  return () => panel.close();
}

class RoomChat {
  readonly #lobby: Lobby;
  readonly #room: string;
  readonly #o: RoomChatOptions;
  readonly #root = make("section", "room-chat closed");
  readonly #toggle = make("button", "plain toggle");
  readonly #count = make("b", "count");
  readonly #unread = make("span", "hidden-text", " unread");
  readonly #body = make("div", "chat-body");
  readonly #log = make("div", "chat-log");
  readonly #notice = make("p", "chat-notice");
  readonly #form = make("form", "chat-form");
  readonly #input = make("input");
  readonly #tabs = make("div", "chat-tabs");
  readonly #undo: (() => void)[] = [];
  readonly #muted = new Set<string>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  #live: Live | undefined;
  #rows: Rows | undefined;
  #talks: Talk[] = [];
  #shown = 0; // the index of the talk that is shown
  #open = false;
  #closed = false;

  constructor(parent: HTMLElement, lobby: Lobby, room: string, options: RoomChatOptions) {
    this.#lobby = lobby;
    this.#room = room;
    this.#o = options;
    this.#build(`room-chat-${++panels}`);
    parent.append(this.#root);
    this.#undo.push(() => this.#root.remove());
    this.#listen(window, "keydown", (e) => this.#key(e as KeyboardEvent));
    void this.#start();
  }

  close(): void {
    this.#closed = true;
    for (const undo of this.#undo.splice(0)) undo();
    for (const timer of this.#timers) clearTimeout(timer);
    if (!this.#o.live) this.#live?.close();
  }

  #build(id: string): void {
    this.#root.setAttribute("aria-label", "Room chat");
    this.#toggle.type = "button";
    this.#toggle.setAttribute("aria-expanded", "false");
    this.#toggle.setAttribute("aria-controls", id);
    this.#toggle.append(make("span", "", "Chat"), " ", this.#count, this.#unread);
    this.#toggle.title = "Chat (Enter)";
    this.#toggle.addEventListener("click", () => this.#show(!this.#open));
    this.#body.id = id;
    this.#log.setAttribute("role", "log");
    this.#log.setAttribute("aria-live", "polite");
    this.#log.setAttribute("aria-label", "Messages");
    this.#log.tabIndex = 0;
    this.#notice.setAttribute("role", "status");
    const label = make("label", "hidden-text", "Message to the room");
    label.htmlFor = this.#input.id = `${id}-text`;
    Object.assign(this.#input, { type: "text", maxLength: MOST_TEXT, autocomplete: "off", enterKeyHint: "send", placeholder: "Say something" });
    const send = make("button", "plain", "Send");
    send.type = "submit";
    this.#form.append(label, this.#input, send);
    this.#form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#say();
    });
    this.#body.addEventListener("keydown", (e) => {
      if (e.key === "Tab") return;
      if (e.key === "Escape") this.#leave();
      e.stopPropagation(); // what is typed is not for the game
    });
    this.#tabs.setAttribute("role", "group");
    this.#tabs.setAttribute("aria-label", "Who reads it");
    this.#body.append(this.#tabs, this.#log, this.#notice, this.#form);
    show(this.#body, false);
    show(this.#count, false);
    show(this.#tabs, false);
    this.#root.append(this.#body, this.#toggle);
  }

  async #start(ms = AGAIN_MS): Promise<void> {
    try {
      const live = this.#o.live ?? await this.#lobby.live();
      if (this.#closed) return void (this.#o.live ?? live.close());
      this.#live = live;
    } catch (error) {
      this.#tell(refusal(error));
      if (!(error instanceof APIError) || error.temporary) this.#later(ms, (next) => void this.#start(next));
      return;
    }
    const me = this.#live.hello.player;
    const changed = () => this.#draw();
    this.#talks = [new Talk(`room:${this.#room}`, me, () => this.#live!.chat, changed)];
    if (this.#o.team) this.#talks.push(new Talk(`team:${this.#room}`, me, () => this.#live!.chat, changed));
    this.#rows = new Rows(this.#log, me, {
      name: (line, row, button) => this.#menu(line, row, button),
      dropped: (text) => {
        this.#input.value = text;
        this.#input.focus();
      },
    });
    this.#undo.push(
      this.#live.on("chat", (m: ChatEvent) => this.#talks.find((t) => t.channel === m.channel)?.hear(m)),
      this.#live.on("mute", (m: Muting, e: LobbyEvent) => this.#judged(m, e)),
      this.#live.on("missed", () => this.#loadAll()),
      this.#live.on("state", (s) => this.#tell(s === "reconnecting" ? "The chat is away; it comes back by itself." : "")),
    );
    this.#loadAll();
    this.#lobby.request("GET /v1/me/mutes", {}).then(({ players }) => {
      for (const p of players) this.#muted.add(p);
      this.#hide();
    }, () => undefined); // the lobby leaves them out anyway
    this.#drawTabs();
    this.#draw();
  }

  #loadAll(): void {
    for (const talk of this.#talks) this.#load(talk);
  }

  /** Reads a channel as soon as it is there: a seat is taken a moment after it was given. */
  #load(talk: Talk, ms = AGAIN_MS): void {
    if (this.#closed) return;
    talk.load().then(() => {
      if (!this.#open || this.#talk !== talk) talk.read(); // history is not news
      if (this.#talk === talk) this.#root.dataset["live"] = "on"; // what is written from now on goes out, and comes as news
      this.#draw();
      this.#drawTabs();
    }, () => this.#later(ms, (next) => this.#load(talk, next)));
  }

  /** Calls something later, with how long it should wait the next time. */
  #later(ms: number, call: (next: number) => void): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      call(Math.min(2 * ms, LONGEST_MS));
    }, ms);
    this.#timers.add(timer);
  }

  get #talk(): Talk | undefined {
    return this.#talks[this.#shown];
  }

  #draw(): void {
    const talk = this.#talk;
    if (!talk || !this.#rows) return;
    if (this.#open) talk.read();
    this.#rows.draw(talk);
    const unread = this.#talks.reduce((n, t) => n + t.unread, 0);
    show(this.#count, unread > 0);
    setText(this.#count, unread > 99 ? "99+" : String(unread));
    show(this.#unread, unread > 0);
    for (const [i, tab] of [...this.#tabs.children].entries()) tab.classList.toggle("news", (this.#talks[i]?.unread ?? 0) > 0);
  }

  /** Shows which channels there are, where there is a choice. */
  #drawTabs(): void {
    show(this.#tabs, this.#talks.filter((t) => t.loaded).length > 1);
    this.#tabs.replaceChildren(...this.#talks.map((talk, i) => {
      const tab = make("button", "plain", talk.channel.startsWith("team:") ? "Team" : "All");
      tab.type = "button";
      tab.setAttribute("aria-pressed", String(i === this.#shown));
      tab.addEventListener("click", () => {
        this.#shown = i;
        this.#rows?.clear();
        this.#drawTabs();
        this.#draw();
        this.#input.focus();
      });
      return tab;
    }));
  }

  #say(): void {
    const text = this.#input.value.trim();
    if (!text) return this.#leave();
    if (!this.#talk) return;
    this.#input.value = "";
    void this.#talk.say(text);
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #tell(text: string): void {
    setText(this.#notice, text);
  }

  #judged(m: Muting, e: LobbyEvent): void {
    if (m.channel !== `room:${this.#room}` || Date.now() - Date.parse(e.at) > 86_400_000) return;
    const until = m.until ? new Date(m.until) : undefined;
    if (until && until.getTime() < Date.now()) return;
    this.#tell(until ? `You are muted until ${until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.${m.reason ? ` ${m.reason}` : ""}` : "You may write again.");
  }

  /** What can be done about who wrote a line, below it. */
  #menu(line: Line, row: HTMLElement, button: HTMLButtonElement): void {
    const open = row.querySelector(".chat-menu");
    for (const other of this.#log.querySelectorAll(".chat-menu")) other.remove();
    for (const other of this.#log.querySelectorAll("[aria-expanded=true]")) other.setAttribute("aria-expanded", "false");
    if (open) return;
    button.setAttribute("aria-expanded", "true");
    const menu = make("div", "chat-menu");
    const item = (text: string, act: () => Promise<unknown>, done: string) => {
      const b = make("button", "plain", text);
      b.type = "button";
      b.addEventListener("click", () => {
        menu.remove();
        button.setAttribute("aria-expanded", "false");
        act().then(() => this.#tell(done), (error: unknown) => this.#tell(refusal(error)));
        this.#input.focus();
      });
      menu.append(b);
    };
    item(`Mute ${line.name}`, () => this.#mute(line), `You do not see what ${line.name} writes.`);
    if (this.#o.moderate) {
      item(`Mute for all, ${MUTE_MINUTES} min`, () => this.#lobby.request("POST /v1/chat/{channel}/mute", {
        channel: `room:${this.#room}`, player: line.from, minutes: MUTE_MINUTES,
      }), `${line.name} is muted for ${MUTE_MINUTES} minutes.`);
    }
    row.append(menu);
    menu.querySelector("button")?.focus();
  }

  async #mute(line: Line): Promise<void> {
    await this.#lobby.request("PUT /v1/me/mutes/{player}", { player: line.from });
    this.#muted.add(line.from);
    this.#hide();
  }

  #hide(): void {
    for (const talk of this.#talks) talk.hide(this.#muted);
  }

  #show(on: boolean): void {
    this.#open = on;
    show(this.#body, on);
    this.#root.classList.toggle("closed", !on);
    this.#toggle.setAttribute("aria-expanded", String(on));
    this.#draw();
    if (!on) return;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#input.focus({ preventScroll: true });
  }

  /** Goes back to the game. */
  #leave(): void {
    this.#show(false);
    if (this.#o.back) this.#o.back.focus({ preventScroll: true });
    else this.#toggle.blur();
    this.#input.blur();
  }

  /** Enter opens the chat where no field, button or dialog wants it. */
  #key(e: KeyboardEvent): void {
    if (e.key !== "Enter" || e.defaultPrevented || e.repeat || e.ctrlKey || e.altKey || e.metaKey) return;
    if (e.target instanceof HTMLElement && e.target.closest("button, input, a, select, textarea, dialog, [contenteditable], [role=dialog], [role=alertdialog]")) return;
    if (!this.#root.checkVisibility()) return;
    e.preventDefault();
    this.#show(true);
  }

  #listen(target: EventTarget, name: string, handle: (e: Event) => void): void {
    target.addEventListener(name, handle);
    this.#undo.push(() => target.removeEventListener(name, handle));
  }
}
