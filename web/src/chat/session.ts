// A player in the lobby: what the lobby's socket tells becomes state here, and what the player does becomes requests. No
// element of the page is touched.

import {
  APIError, type Channel, type ChatEvent, type Group, type GroupInvitation, type Live, type Lobby, type LobbyEvent, type Muting,
  type Notification, type Party, type PartyEvent, type PartyState, type Presence,
} from "@muster/client";
import { before, Talk } from "../shared/talk.ts";
import { Book } from "./book.ts";
import { Play } from "./play.ts";
import { names, type State } from "./words.ts";

const MOST_WATCHED = 200;
const PREVIEW = 80; // characters

/** Something to be told right now. */
export type Say = (text: string, wrong?: boolean) => void;

export class Session {
  readonly lobby: Lobby;
  readonly live: Live;
  readonly me: { id: string; name: string };
  readonly book: Book;
  readonly play: Play;
  readonly groups = new Map<string, Group>();
  readonly mutes = new Set<string>();
  readonly blocks = new Set<string>();
  party: Party | undefined;
  watch: "everyone" | "party" | "nobody" = "everyone";
  /** The conversation that is being read. */
  reading: Channel | undefined;
  /** Is told what a player should hear at once. */
  say: Say = () => undefined;

  readonly #changed: () => void;
  readonly #began: number; // by the lobby's clock
  readonly #talks = new Map<Channel, Talk>();
  readonly #presence = new Map<string, State>();
  #watched = "";
  #profile: { about?: string; avatar?: string; country?: string; status?: string } = {};

  constructor(lobby: Lobby, live: Live, book: Book, changed: () => void) {
    this.lobby = lobby;
    this.live = live;
    this.book = book;
    this.me = { id: live.hello.player, name: live.hello.name };
    this.#began = Date.parse(live.hello.time);
    this.#changed = changed;
    this.play = new Play(this, changed);
    live.on("chat", (m, e) => this.#heard(m, e));
    live.on("group", (g, e) => this.#invitedToGroup(g, e));
    live.on("party", (p, e) => this.#partyTold(p, e));
    live.on("notification", (n, e) => this.#notified(n, e));
    live.on("mute", (m, e) => this.#muted(m, e));
    live.on("ticket", (t) => this.play.told(t));
    live.on("event", (e) => { // after its kind's listener has dealt with it
      this.book.last = e.id;
    });
    live.on("presence", (p: Presence) => {
      this.#presence.set(p.player, p.state);
      this.#changed();
    });
    live.on("missed", () => void this.refresh());
    live.on("state", (s) => {
      if (s === "open") void this.refresh();
      this.#changed();
    });
  }

  /** Reads what is not told by events: at first, and after a gap. */
  async refresh(): Promise<void> {
    const [me, mutes, blocks] = await Promise.all([
      this.lobby.me(), this.lobby.request("GET /v1/me/mutes", {}), this.lobby.request("GET /v1/me/blocks", {}),
    ]).catch(() => []);
    if (me && mutes && blocks) {
      this.watch = me.watch;
      this.#profile = pick(me);
      fill(this.mutes, mutes.players);
      fill(this.blocks, blocks.players);
      for (const talk of this.#talks.values()) talk.hide(this.mutes);
      await this.#readParty(me.party);
      await this.play.resume(me.tickets ?? []);
    }
    for (const { channel } of this.book.entries) if (channel.startsWith("group:")) await this.#readGroup(channel.slice(6)).catch(() => undefined);
    for (const talk of this.#talks.values()) if (talk.loaded || talk.channel === this.reading) void talk.load().catch(() => undefined);
    this.rewatch();
    this.#changed();
  }

  /** How somebody is, as far as one may know. */
  state(player: string): State | undefined {
    return player === this.me.id ? (this.play.state ?? "online") : this.#presence.get(player);
  }

  nameOf(player: string): string {
    if (player === this.me.id) return this.me.name;
    return this.book.nameOf(player);
  }

  /** Watches those whom the player knows, as far as they may be watched at a time. */
  rewatch(): void {
    const list = new Set<string>();
    for (const m of this.party?.members ?? []) list.add(m.player);
    for (const { id } of this.book.contacts) list.add(id);
    list.delete(this.me.id);
    const players = [...list].slice(0, MOST_WATCHED);
    const key = JSON.stringify(players);
    if (key === this.#watched) return;
    this.#watched = key;
    this.live.watch(players).catch(() => this.#watched = ""); // tried again with the next change
  }

  /** The talk of a conversation. */
  talk(channel: Channel): Talk {
    let talk = this.#talks.get(channel);
    if (!talk) {
      talk = new Talk(channel, this.me.id, () => this.live.chat, () => this.#changed());
      talk.hide(this.mutes);
      this.#talks.set(channel, talk);
    }
    return talk;
  }

  /** What a conversation is called. */
  title(channel: Channel): string {
    const id = channel.slice(channel.indexOf(":") + 1);
    if (channel.startsWith("direct:")) return this.nameOf(id);
    if (channel.startsWith("party:")) return "Party";
    if (channel.startsWith("group:")) return this.groups.get(id)?.title ?? this.book.entry(channel)?.title ?? "Group";
    return this.book.entry(channel)?.title || channel;
  }

  /** Opens a conversation, which is then in the list. */
  open(channel: Channel): Talk {
    const talk = this.talk(channel);
    if (!this.book.entry(channel)) this.book.note(channel, { title: this.title(channel) });
    if (channel.startsWith("direct:")) this.meet(channel.slice(7), "");
    this.reading = channel;
    this.read();
    return talk;
  }

  /** Notes that everything of the open conversation was seen. */
  read(): void {
    if (!this.reading || document.hidden) return;
    this.#talks.get(this.reading)?.read();
    if (this.book.entry(this.reading)?.unread) this.book.note(this.reading, { unread: 0 });
  }

  get unread(): number {
    return this.book.entries.reduce((n, { entry }) => n + entry.unread, 0) + this.unseen;
  }

  get unseen(): number {
    return this.book.notices.filter((n) => !n.read).length;
  }

  meet(id: string, name: string): void {
    if (id === this.me.id) return;
    this.book.meet(id, name);
    this.rewatch();
    this.#changed();
  }

  /** Adds somebody by his id, who must be known to the lobby. */
  async add(id: string): Promise<string> {
    if (id === this.me.id) throw new Error("That is your own id.");
    const p = await this.lobby.request("GET /v1/players/{player}", { player: id });
    this.meet(p.player, p.name ?? p.player);
    return this.nameOf(id);
  }

  /** Whom somebody means: by a name that is known, else by an id. */
  who(text: string): string {
    const wanted = text.trim();
    return this.book.contacts.find((c) => c.name.toLowerCase() === wanted.toLowerCase())?.id ?? wanted;
  }

  // Groups.

  async makeGroup(title: string): Promise<Channel> {
    return this.#joined(await this.lobby.request("POST /v1/groups", { title }, { key: crypto.randomUUID() }));
  }

  async joinGroup(id: string): Promise<Channel> {
    return this.#joined(await this.lobby.request("POST /v1/groups/{id}/join", { id }));
  }

  async leaveGroup(id: string): Promise<void> {
    await this.lobby.request("POST /v1/groups/{id}/leave", { id });
    this.#leftGroup(id);
  }

  #leftGroup(id: string): void {
    this.groups.delete(id);
    this.#talks.delete(`group:${id}`);
    this.book.drop(`group:${id}`);
    if (this.reading === `group:${id}`) this.reading = undefined;
    this.#changed();
  }

  #joined(g: Group): Channel {
    const channel: Channel = `group:${g.id}`;
    this.groups.set(g.id, g);
    this.book.note(channel, { title: g.title });
    for (const m of g.members) this.meet(m.player, m.name);
    this.#changed();
    return channel;
  }

  async #readGroup(id: string): Promise<void> {
    try {
      this.#keep(await this.lobby.request("GET /v1/groups/{id}", { id }));
    } catch (error) {
      if (error instanceof APIError && error.status === 404) this.#leftGroup(id);
      else throw error;
    }
  }

  /** A group as it is now: its place in the list stays. */
  #keep(g: Group): void {
    this.groups.set(g.id, g);
    for (const m of g.members) if (m.player !== this.me.id) this.book.meet(m.player, m.name);
  }

  async readGroup(id: string): Promise<void> {
    await this.#readGroup(id);
    this.rewatch();
    this.#changed();
  }

  // The party.

  setParty(p: Party | undefined): void {
    if (p && this.party?.id === p.id && p.version < this.party.version) return; // told in another order
    const was = this.party;
    this.party = p;
    if (was && was.id !== p?.id) {
      this.book.drop(`party:${was.id}`);
      this.#talks.delete(`party:${was.id}`);
      if (this.reading === `party:${was.id}`) this.reading = undefined;
    }
    if (p) {
      for (const m of p.members) if (m.player !== this.me.id) this.book.meet(m.player, m.name);
      const channel: Channel = `party:${p.id}`;
      if (!this.book.entry(channel)) this.book.note(channel, { title: "Party" });
    }
    this.rewatch();
    this.#changed();
  }

  async #readParty(id: string | undefined): Promise<void> {
    if (!id) return this.setParty(undefined);
    try {
      this.setParty(await this.lobby.parties.get());
    } catch (error) {
      if (error instanceof APIError && error.status === 404) this.setParty(undefined);
    }
  }

  // Privacy.

  async setWatch(watch: "everyone" | "party" | "nobody"): Promise<void> {
    await this.lobby.request("PUT /v1/me", { ...this.#profile, watch });
    this.watch = watch;
    this.#changed();
  }

  async mute(player: string, on: boolean): Promise<void> {
    await this.lobby.request(on ? "PUT /v1/me/mutes/{player}" : "DELETE /v1/me/mutes/{player}", { player });
    this.mutes[on ? "add" : "delete"](player);
    for (const talk of this.#talks.values()) {
      talk.hide(this.mutes);
      if (!on && talk.loaded) void talk.load().catch(() => undefined); // with what was not told meanwhile
    }
    this.#changed();
  }

  async block(player: string, on: boolean): Promise<void> {
    await this.lobby.request(on ? "PUT /v1/me/blocks/{player}" : "DELETE /v1/me/blocks/{player}", { player });
    this.blocks[on ? "add" : "delete"](player);
    this.#changed();
  }

  // What the lobby tells.

  /** Whether an event happened before the page was opened. */
  #old(e: LobbyEvent): boolean {
    return Date.parse(e.at) < this.#began;
  }

  #heard(m: ChatEvent, e: LobbyEvent): void {
    const channel = m.channel as Channel;
    if (channel.startsWith("room:") || channel.startsWith("team:")) return; // the game's page shows these
    const mine = m.from === this.me.id;
    if (!mine) this.book.meet(m.from, m.name ?? "");
    this.talk(channel).hear(m);
    const seen = this.reading === channel && !document.hidden;
    const at = Date.parse(m.at);
    const known = this.book.entry(channel);
    const noted = known?.id !== undefined && !before(known.id, m.id); // by another tab of the player
    if (!noted && (!known || at >= known.at || mine)) {
      this.book.note(channel, {
        id: m.id, title: this.title(channel), at, preview: (mine ? "You: " : channel.startsWith("direct:") ? "" : `${m.name || this.nameOf(m.from)}: `) + m.text.slice(0, PREVIEW),
        unread: mine || seen ? 0 : (known?.unread ?? 0) + 1,
      });
    }
    if (seen) this.read();
    else if (!mine && !this.#old(e)) this.say(`${m.name || this.nameOf(m.from)}: ${m.text.slice(0, PREVIEW)}`);
    if (channel.startsWith("group:") && !this.groups.has(channel.slice(6))) void this.readGroup(channel.slice(6)).catch(() => undefined);
    this.rewatch();
    this.#changed();
  }

  #notice(e: LobbyEvent, title: string, body: string, join?: { kind: "group" | "party"; id: string; until?: number }): void {
    this.book.put({ id: e.id, at: Date.parse(e.at), title, body, read: false, ...(join && { join }) });
    if (!this.#old(e)) this.say(title);
    this.#changed();
  }

  #invitedToGroup(g: GroupInvitation, e: LobbyEvent): void {
    this.book.meet(g.from, g.name);
    this.#notice(e, `${g.name || g.from} invites you to the group “${g.title}”`, "", { kind: "group", id: g.id });
  }

  #partyTold(p: PartyEvent, e: LobbyEvent): void {
    switch (p.event) {
      case "invited": {
        const by = p.by?.name || this.nameOf(p.by?.player ?? "");
        if (p.by) this.book.meet(p.by.player, p.by.name ?? "");
        const until = p.until ? Date.parse(p.until) : undefined;
        return this.#notice(e, `${by} invites you to a party`, "", { kind: "party", id: p.id, ...(until !== undefined && { until }) });
      }
      case "out":
        if (this.party?.id !== p.id) return;
        this.setParty(undefined);
        return this.#notice(e, "You are out of the party", "");
      case "changed": {
        if (this.#old(e) && this.party?.id !== p.id) return; // one of before; refresh reads what is
        const was = this.party;
        if (was && was.id === p.id && (p.version ?? 0) <= was.version) return;
        if (p.party && was?.id === p.id) {
          const joined = p.party.members.filter((m) => !was.members.some((o) => o.player === m.player));
          this.setParty(merged(was, p.party, (id) => this.nameOf(id)));
          if (joined.length) this.say(`${names(joined.map((m) => m.name || this.nameOf(m.player)))} joined the party`);
          if (!this.party?.code) void this.#readParty(p.id);
        } else {
          void this.#readParty(p.id);
        }
      }
    }
  }

  #notified(n: Notification, e: LobbyEvent): void {
    this.#notice(e, n.title, n.body ?? "");
  }

  #muted(m: Muting, e: LobbyEvent): void {
    const until = m.until ? new Date(m.until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "";
    this.#notice(e, until ? `You may not write in a room until ${until}` : "You may write in the room again", m.reason ?? "");
  }
}

/** A party as an event tells it: without its code, which stays while nobody was removed. */
function merged(was: Party, now: PartyState, nameOf: (id: string) => string): Party {
  const removed = was.members.some((m) => !now.members.some((n) => n.player === m.player));
  return {
    id: now.id, leader: now.leader, max: now.max, version: now.version, code: removed ? "" : was.code,
    members: now.members.map((m) => ({ player: m.player, ready: m.ready, name: m.name || was.members.find((o) => o.player === m.player)?.name || nameOf(m.player) })),
  };
}

function pick(me: { about?: string; avatar?: string; country?: string; status?: string }) {
  const { about, avatar, country, status } = me;
  return { ...(about && { about }), ...(avatar && { avatar }), ...(country && { country }), ...(status && { status }) };
}

function fill(set: Set<string>, list: readonly string[]): void {
  set.clear();
  for (const one of list) set.add(one);
}
