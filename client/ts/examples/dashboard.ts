// Prints every five seconds what the lobby has: its queues, its public rooms, and what a player played last.
import { Lobby } from "@muster/client";

const lobby = new Lobby("http://127.0.0.1:8080");
await lobby.guest("reader");
for (;;) {
  const [queues, { rooms }, { matches }] = await Promise.all([
    lobby.queues(), lobby.rooms.list({ open_seats: 1, limit: 20 }), lobby.matches({ limit: 5 }),
  ]);
  for (const q of queues) console.log(`${q.name}: ${q.players_waiting} wait, ${q.matches_per_minute} matches a minute`);
  for (const r of rooms) console.log(`${r.game} ${r.title ?? r.id}: ${r.players} of ${r.seats}`);
  for (const m of matches) console.log(`${m.ended_at} ${m.game}: place ${m.rank} of ${m.players}`);
  // Any route has its types, those for operators too.
  const { nodes } = await lobby.request("GET /v1/admin/nodes", {});
  console.log(`${nodes?.length ?? 0} servers`);
  await new Promise((resolve) => setTimeout(resolve, 5000));
}
