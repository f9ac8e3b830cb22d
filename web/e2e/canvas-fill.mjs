// Fills a room of the canvas, as people would: with lines that many draw at once, and a long text.

import { Lobby, Match } from "../../client/ts/src/index.ts";

const TOGETHER = 8; // who draw at once: a room takes eight commands a tick of each
const OPEN = 40; // commands of one that the room has not taken up
const CHUNK = 1000; // characters of a command
const NONE = {
  Op: "Hide", N: 0, "At.Author": 0, "At.N": 0, "Mark.Author": 0, "Mark.N": 0, Text: "", Which: new Uint8Array(), Colour: 0, Width: 0, X: 0, Y: 0,
};

/** Draws so many lines and writes a text, which must be of ASCII, into a room that is empty. */
export async function fill(url, room, lines, text) {
  const each = Math.ceil(lines / TOGETHER);
  const drawn = Array.from({ length: TOGETHER }, (_, i) => {
    const own = Math.max(0, Math.min(each, lines - i * each));
    return act(url, room, `Drawer ${i}`, strokes(i, own));
  });
  await Promise.all([...drawn, act(url, room, "Writer", typed(text))]);
}

/** Makes commands one after the other, until the room has all of them. commands are made of the own author's number. */
async function act(url, room, name, commands) {
  const lobby = new Lobby(url);
  await lobby.guest(name);
  const seat = await lobby.rooms.joinNamed("canvas", room);
  let left; // an iterator, once the own number is known
  let done = false;
  await new Promise((resolve, reject) => {
    const playing = Match.connect(seat, {
      // Node does not say by itself what a browser says.
      webSocket: (to, protocols) => new WebSocket(to, { protocols, headers: { Origin: url } }),
      view: { maxDelay: 1, catchUp: Infinity }, // nothing is looked at
      onRefused: ({ reason }) => reject(new Error(`${name} was refused: ${reason}`)),
      onClose: ({ reason }) => reject(new Error(`${name} is out: ${reason}`)),
      onFrame: ({ processed, durable }) => void playing.then((match) => {
        const author = [...match.tables.Cursors].find(([, c]) => c.Owner === match.info.seat)?.[1].Author;
        if (!author) return;
        left ??= commands(author);
        while (!done && match.unprocessed.length < OPEN) {
          const { value, done: last } = left.next();
          done = last;
          if (last) break;
          match.send({ ...NONE, ...value });
        }
        if (!done || match.unprocessed.length > 0 || durable < processed) return;
        resolve(match.leave().catch(() => undefined)); // all is there: a seat that is held for a while harms nobody
      }).catch(reject),
    });
    playing.catch(reject);
  });
}

/** Lines that wander over the board. */
function strokes(who, count) {
  return function* () {
    const roll = dice(who + 1);
    for (let i = 0; i < count; i++) {
      let [x, y, angle] = [roll() * 4096, roll() * 3072, roll() * 7];
      let [atX, atY, points] = [0, 0, ""];
      for (let n = 0; n < 24; n++) {
        const [px, py] = [Math.max(0, Math.min(4096, Math.round(x))), Math.max(0, Math.min(3072, Math.round(y)))];
        points += step(px - atX) + step(py - atY);
        [atX, atY] = [px, py];
        angle += roll() - 0.5;
        x += 9 * Math.cos(angle);
        y += 9 * Math.sin(angle);
      }
      yield { Op: "Draw", N: i * TOGETHER + who + 1, Colour: Math.floor(roll() * 10), Width: 2 + Math.floor(roll() * 8), Text: points };
    }
  };
}

/** A text, a part after the other. */
function typed(text) {
  return function* (author) {
    for (let at = 0; at < text.length; at += CHUNK) {
      yield { Op: "Insert", N: at + 1, Text: text.slice(at, at + CHUNK), ...(at > 0 && { "At.Author": author, "At.N": at }) };
    }
  };
}

/** A number as points have it: games/canvas/points.go. */
function step(d) {
  let v = d < 0 ? ~(d << 1) : d << 1;
  let text = "";
  for (; v >= 0x20; v >>= 5) text += String.fromCharCode((0x20 | (v & 0x1f)) + 63);
  return text + String.fromCharCode(v + 63);
}

function dice(seed) {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}
