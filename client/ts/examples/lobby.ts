// Meets friends in a party, talks to them, and queues together with them: /?party=CODE joins a friend's.
import { Lobby, type Party } from "@muster/client";

const lobby = new Lobby(location.origin);
const me = await lobby.guest("alice");
const live = await lobby.live(); // comes back by itself after a loss, and goes on after the last event
live.on("chat", ({ from, text }) => console.log(`${from}: ${text}`));
live.on("notification", ({ title }) => console.log(title));
live.on("presence", ({ player, state }) => console.log(`${player} is ${state}`));
live.on("party", async (change) => change.event === "changed" && see(await lobby.parties.get()));
live.on("missed", async () => see(await lobby.parties.get())); // too much happened meanwhile: read it anew

let queued = false;
const code = new URLSearchParams(location.search).get("party");
const party = code ? await lobby.parties.join(code) : await lobby.parties.create(4);
console.log(`others join with ${location.origin}/?party=${party.code}`);
await live.chat.send(`party:${party.id}`, "hello");
await lobby.parties.ready();

/** Watches who is there; the leader queues for all when they are ready. */
async function see({ members, leader }: Party): Promise<void> {
  await live.watch(members.map((m) => m.player).filter((player) => player !== me.player));
  if (queued || leader !== me.player || members.length < 2 || !members.every((m) => m.ready)) return;
  queued = true;
  const ticket = await lobby.createTicket({ queue: "arena", party: true });
  console.log((await lobby.explain(ticket.id)).text); // why it waits
  const seat = await lobby.waitTicket(ticket.id);
  console.log(`a match in ${seat.room}`); // for Match.connect; the others get theirs by live.on("ticket")
}
