// The calls of a lobby one by one, as the README shows them. It is compiled, and no program to run.
import { Lobby, type PartyStateMember } from "@muster/client";

declare const url: string, token: string, ticketId: string, player: string, id: string, ticket: string, friends: string[];
declare function login(): Promise<string>;
declare function show(...texts: (string | undefined)[]): void;
declare function play(seat: object): void;
declare function ask(whom: string | PartyStateMember | undefined, then?: () => Promise<unknown>): void;
declare function toast(title: string, body?: string): void;
declare function mark(player: string, state: string): void;
declare function readEverythingAgain(): void;
declare function signIn(): void;

const lobby = new Lobby(url, { token, refresh: () => login() });   // of a service that signs tokens
await lobby.guest("alice", { token: localStorage.token });         // or a development server's guest, the same after a reload
localStorage.token = lobby.token;

const stop = new AbortController();
const seat = await lobby.play({ queue: "ranked", party: true }, {
  signal: stop.signal,                                             // gives the ticket up
  onProgress: (t) => {
    show(t.reason);                                                // "3 of 4 players are here"
    if (t.confirm && !t.confirm.mine) void lobby.confirmTicket(t.id, true);
  },
});
const why = await lobby.explain(ticketId);                         // what the queue's rules ask, and whom each keeps away
show(seat.room, why.text);

const live = await lobby.live({ after: localStorage.place });
live.on("chat", (m) => show(m.name, m.text));                      // text is plain: never innerHTML
live.on("ticket", (t) => t.match && play(t.match));                // party members and other tabs hear of a match, too
live.on("party", (p) => p.event === "invited" && ask(p.by, () => lobby.parties.accept(p.id)));
live.on("notification", (n) => toast(n.title, n.body));
live.on("group", (g) => ask(g.name));
live.on("presence", ({ player, state }) => mark(player, state));   // offline, online, in_queue, in_match
live.on("missed", () => readEverythingAgain());
live.on("event", (e) => (localStorage.place = e.id));              // every event, after those above have dealt with it
live.on("close", ({ action }) => action !== "done" && signIn());

await live.watch(friends);                                         // at most 200, in the place of those before
await live.chat.send(`direct:${player}`, "hi");                    // or party:ID, room:ID, group:ID
let page = await live.chat.history(`group:${id}`);                 // the newest first
page = await live.chat.history(`group:${id}`, { before: page.next });
await live.ask("ticket.confirm", { ticket, accept: true });        // all requests of docs/LOBBY.md
