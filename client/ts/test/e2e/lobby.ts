// Three guests at a real server, of which internal/e2e says the address: what the lobby promises, from end to end.

import assert from "node:assert/strict";
import {
  APIError, type ChatEvent, type Live, Lobby, type LobbyOptions, Match, type MatchSeat, type Notification, type PartyEvent, type Presence, type Ticket,
} from "../../src/index.js";

const url = process.argv[2]!;
const open = new Set<WebSocket>();
let down = false; // no socket can be opened

/** A page's socket: with an Origin, which Node does not send by itself. */
const webSocket: NonNullable<LobbyOptions["webSocket"]> = (address, protocols) => {
  if (down) throw new Error("the network is down");
  const ws = new WebSocket(address, { protocols, headers: { Origin: url } } as never);
  open.add(ws);
  return ws;
};

function step(done: string): void {
  console.log(`${(performance.now() / 1000).toFixed(1)} s: ${done}`);
}

/** What one player's live tells, to be waited for in its order. */
class Heard<T> {
  readonly all: T[] = [];
  #next = 0;
  #wake = () => {};

  add = (one: T): void => {
    this.all.push(one);
    this.#wake();
  };

  /** The next one that fits; those before it are passed over. */
  async next(fits: (one: T) => boolean = () => true): Promise<T> {
    for (; ; this.#next++) {
      if (this.#next === this.all.length) await new Promise<void>((resolve) => (this.#wake = resolve));
      const one = this.all[this.#next]!;
      if (fits(one)) {
        this.#next++;
        return one;
      }
    }
  }
}

async function guest(name: string, live: boolean) {
  const lobby = new Lobby(url, { webSocket });
  const { player } = await lobby.guest(name);
  const heard = {
    chat: new Heard<ChatEvent>(), notification: new Heard<Notification>(), party: new Heard<PartyEvent>(), ticket: new Heard<Ticket>(),
    presence: new Heard<Presence>(), state: new Heard<string>(), ids: [] as string[], missed: 0,
  };
  const listen = (l: Live) => {
    l.on("chat", heard.chat.add);
    l.on("notification", heard.notification.add);
    l.on("party", heard.party.add);
    l.on("ticket", heard.ticket.add);
    l.on("presence", heard.presence.add);
    l.on("state", heard.state.add);
    l.on("event", (e) => heard.ids.push(e.id));
    l.on("missed", () => heard.missed++);
    return l;
  };
  return { lobby, player, heard, listen, live: live ? listen(await lobby.live()) : undefined as never as Live };
}

const [alice, bob] = await Promise.all([guest("Alice", true), guest("Bob", true)]);
const carol = await guest("Carol", false);
assert.equal(alice.live.hello.player, alice.player);
assert.equal(alice.live.hello.name, "Alice");
step("three guests, two of them with a live socket");

const before = alice.lobby.token;
await alice.lobby.refresh();
assert.equal((await alice.lobby.me()).player, alice.player);
const back = new Lobby(url);
assert.equal((await back.guest("Alice", { token: before })).player, alice.player, "a kept token goes on as the same guest");
const none = new Lobby(url, { token: "not-a-token" });
await assert.rejects(none.me(), (e) => e instanceof APIError && e.status === 401);
await assert.rejects(new Lobby(url, { token: "not-a-token", webSocket }).live(), (e) => e instanceof APIError && e.status === 401);
step("tokens are renewed, and bad ones refused");

const party = await alice.lobby.parties.create(2);
assert.deepEqual((await bob.lobby.parties.join(party.code.toLowerCase())).members.map((m) => m.name), ["Alice", "Bob"]);
const changed = await alice.heard.party.next((p) => p.party?.members.length === 2);
assert.equal(changed.event, "changed");
assert.equal((await bob.lobby.parties.ready()).members[1]!.ready, true);
assert.equal((await alice.lobby.parties.get()).members[1]!.ready, true);
await assert.rejects(carol.lobby.parties.get(), (e) => e instanceof APIError && e.status === 404);
step("a party by code");

const { ok, ...watched } = { ok: alice.live.watch([bob.player, carol.player]), bob: bob.player, carol: carol.player };
await ok;
assert.deepEqual(
  [await alice.heard.presence.next(), await alice.heard.presence.next()].map((p) => [p.player, p.state]).sort(),
  [[watched.bob, "online"], [watched.carol, "offline"]].sort(),
);
const carolLive = carol.listen(await carol.lobby.live());
assert.equal((await alice.heard.presence.next((p) => p.player === carol.player)).state, "online");
step("who is there");

const told = new Heard<Ticket>();
const seats: Promise<MatchSeat>[] = [];
const play = (who: typeof alice, own: boolean) => who.lobby.play({ queue: "trio", party: !own }, {
  onProgress: (t) => {
    if (who === alice) told.add(t);
    if (t.confirm && !t.confirm.mine) void who.lobby.confirmTicket(t.id, true);
  },
});
seats.push(play(alice, false));
const waiting = await bob.heard.ticket.next((t) => t.state === "waiting");
let why = await alice.lobby.explain(waiting.id);
for (let n = 0; n < 20 && why.needed === 0; n++) { // the queue has not looked at it yet
  await new Promise((resolve) => setTimeout(resolve, 100));
  why = await alice.lobby.explain(waiting.id);
}
assert.equal(why.needed, 3);
assert.match(why.text, /\w/);
assert.equal((await bob.live.ask("ticket.explain", { ticket: waiting.id })).state, "waiting");
assert.equal((await alice.heard.presence.next((p) => p.player === bob.player)).state, "in_queue");
const progress = await told.next((t) => t.state === "waiting");
step(`a ticket of two waits: ${progress.reason ?? "no word yet"}; ${why.text}`);

seats.push(play(carol, true));
const asked = await bob.heard.ticket.next((t) => t.state === "confirming");
assert.equal((await bob.live.ask("ticket.confirm", { ticket: asked.id, accept: true })).confirm?.mine ?? true, true);
const [first, third] = await Promise.all(seats);
const second = (await bob.heard.ticket.next((t) => t.state === "matched")).match!;
assert.equal(new Set([first!.room, second.room, third!.room]).size, 1);
assert.equal(new Set([first!.token, second.token, third!.token]).size, 3);
assert.deepEqual(told.all.map((t) => t.state).filter((s, n, all) => s !== all[n - 1]), ["waiting", "confirming"]);
step("all confirm, and the match is found");

const matches = await Promise.all([first!, second, third!].map((seat) => Match.connect(seat, { webSocket })));
assert.equal((await alice.heard.presence.next((p) => p.player === bob.player && p.state === "in_match")).state, "in_match");
await Promise.all(matches.map((m) => m.leave()));
step("they take their seats, and leave");

const said = await bob.live.chat.send(`direct:${alice.player}`, "hi <b>Alice</b>");
const heard = await alice.heard.chat.next();
assert.deepEqual([heard.text, heard.name, heard.channel, heard.id], ["hi <b>Alice</b>", "Bob", `direct:${bob.player}`, said.id]);
assert.deepEqual((await alice.live.chat.history(`direct:${bob.player}`)).messages.map((m) => m.text), ["hi <b>Alice</b>"]);
const group = await bob.lobby.request("POST /v1/groups", { title: "Fridays" });
const invited = new Heard<string>();
carolLive.on("group", (g) => invited.add(g.id));
await bob.lobby.request("POST /v1/groups/{id}/invite", { id: group.id, player: carol.player });
await carol.lobby.request("POST /v1/groups/{id}/join", { id: await invited.next() });
for (const text of ["one", "two", "three"]) await carolLive.chat.send(`group:${group.id}`, text);
assert.equal((await bob.heard.chat.next((m) => m.channel === `group:${group.id}` && m.text === "three")).name, "Carol");
const page = await bob.live.chat.history(`group:${group.id}`, { limit: 2 });
assert.deepEqual(page.messages.map((m) => m.text), ["three", "two"]);
assert.deepEqual((await bob.live.chat.history(`group:${group.id}`, { before: page.next! })).messages.map((m) => m.text), ["one"]);
await assert.rejects(alice.live.chat.history(`group:${group.id}`), (e) => e instanceof APIError && e.status === 404);
step("chat of two and of a group, with its history");

// All sockets are lost, and things happen meanwhile.
down = true;
for (const ws of open) ws.close();
assert.equal(await alice.heard.state.next(), "reconnecting");
const later = alice.live.chat.send(`direct:${bob.player}`, "sent while away"); // it waits for the next socket
const operator = new Lobby(url, { token: process.env["SERVICE_TOKEN"]! });
const notified = await operator.request("POST /v1/notifications", {
  to: `player:${alice.player}`, kind: "gift", title: "A gift", data: { coins: 5 },
});
for (const text of ["a", "b", "c"]) await bob.lobby.request("POST /v1/chat/{channel}/messages", { channel: `direct:${alice.player}`, text });
down = false;
assert.equal(await alice.heard.state.next(), "open");
assert.deepEqual(await alice.heard.notification.next(), { id: notified.id, kind: "gift", title: "A gift", data: { coins: 5 } });
for (const text of ["a", "b", "c"]) assert.equal((await alice.heard.chat.next((m) => m.from === bob.player)).text, text);
assert.equal((await later).text, "sent while away");
assert.equal((await bob.heard.chat.next((m) => m.from === alice.player)).text, "sent while away");
await alice.heard.chat.next((m) => m.text === "sent while away");
assert.equal(new Set(alice.heard.ids).size, alice.heard.ids.length, "an event was told twice");
assert.equal(alice.heard.missed, 0);
assert.equal(alice.heard.chat.all.filter((m) => m.text === "sent while away").length, 1);
assert.equal((await alice.heard.presence.next((p) => p.player === bob.player)).player, bob.player); // watched anew
step("sockets are lost: nothing was missed, nothing told twice");

// Another device goes on after a place that the first has noted.
const place = alice.live.last;
alice.live.close();
await bob.live.chat.send(`direct:${alice.player}`, "for the next time");
const again = await alice.lobby.live({ after: place });
const next = new Heard<string>();
again.on("chat", (m) => next.add(m.text));
assert.equal(await next.next(), "for the next time");
step("another socket goes on after the first one's place");

const made = await carol.lobby.rooms.create({ game: "arena", title: "Carol's", public: true });
const { rooms } = await bob.lobby.rooms.list({ game: "arena", open_seats: 1 });
assert.ok(rooms.some((r) => r.id === made.room.id && r.title === "Carol's"));
assert.equal((await bob.lobby.rooms.joinCode(made.room.code!)).room, made.room.id);
assert.equal((await bob.lobby.rooms.change(made.room.id, { title: "mine" }).catch((e: APIError) => e.status)), 404); // as if it were not there
await carol.lobby.rooms.close(made.room.id);
await bob.lobby.parties.leave();
assert.ok((await bob.lobby.queues()).some((q) => q.name === "trio"));
assert.deepEqual((await bob.lobby.matches({ limit: 1 })).matches, []);
step("rooms, codes and the rest");

for (const l of [again, bob.live, carolLive]) l.close();
