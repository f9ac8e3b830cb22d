// A bot for the arena, in Node from version 22: it turns to the nearest ship and fires. MUSTER is the server's address.
import { Lobby, Match, type MatchSeat, type SocketFactory, type TableView } from "@muster/client";
import { atan2, cos, sin } from "@muster/client/math";

interface Ship { X: number; Y: number; Angle: number; Owner: number; HP: number }
interface Input { Turn: number; Thrust: number; Fire: boolean }

const url = process.env["MUSTER"] ?? "http://127.0.0.1:8080";
// A server takes the token of a page only with its Origin, which browsers send by themselves and Node does not.
const webSocket: SocketFactory = (to, protocols) => new WebSocket(to, { protocols, headers: { Origin: url } } as never);

const lobby = new Lobby(url);
await lobby.guest("bot");
let next = "requeue";
while (next !== "stop") next = await play(await lobby.play("arena"));

/** Plays one match, and says what to do after it. */
function play(seat: MatchSeat): Promise<string> {
  return new Promise((resolve, reject) => {
    const playing = Match.connect<{ Ships: Ship }, Input>(seat, {
      webSocket,
      refresh: () => lobby.refresh(),
      onFrame: async () => {
        const match = await playing;
        const input = think(match.tables.Ships, match.info.seat);
        if (input) match.send(input);
      },
      onEnd: (placements) => console.log(placements.map((p) => `${p.rank}. ${p.player}`).join(", ")),
      onClose: ({ action }) => resolve(action),
    });
    playing.catch(reject);
  });
}

/** What a pilot does who sees these ships; nothing without a ship. */
function think(ships: TableView<Ship>, seat: number): Input | undefined {
  const own = [...ships].find(([, ship]) => ship.Owner === seat)?.[1];
  if (!own) return undefined;
  const others = [...ships].filter(([, { Owner, HP }]) => Owner !== seat && HP > 0).map(([, { X, Y }]) => {
    const [dx, dy] = [X - own.X, Y - own.Y];
    return { angle: atan2(dy, dx), far: Math.hypot(dx, dy) };
  });
  const near = others.sort((a, b) => a.far - b.far)[0];
  if (!near) return { Turn: 40, Thrust: 60, Fire: false };
  const off = atan2(sin(near.angle - own.Angle), cos(near.angle - own.Angle)); // the short way round
  const turn = Math.max(-127, Math.min(127, Math.round(off * 200)));
  return { Turn: turn, Thrust: near.far > 200 ? 127 : 0, Fire: Math.abs(off) < 0.15 };
}
