// What it costs a browser to read and to place two hundred ships that all move, twenty times a second.
//
//   node --import tsx --experimental-websocket e2e/decode.mjs http://127.0.0.1:8080
//
// Records a match of the queue "swarm" first, in which everybody sees everything. A page then takes the same messages in
// as fast as it can, on a clock of its own, with and without asking for the rows to draw sixty times a second. Prints the
// part of one core that each takes; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { build } from "esbuild";
import { Lobby, Match } from "../../client/ts/src/index.ts";
import { SUBPROTOCOL } from "../../client/ts/src/wire.ts";
import { complaints, withBrowser } from "./browser.mjs";

const MOST = 0.03; // of one core, for ships as below
const SHIPS = 200;
const FRAMES = 220; // eleven seconds, where the server is not too busy to send each tick
const RATE = 20; // frames a second
const PICTURES = 60; // a second
const REPEATS = 5; // the best counts: other programs share the machine,
const MOST_REPEATS = 30; // and make the same work take longer, for a while

const [url] = process.argv.slice(2);
if (!url) {
  console.error("usage: decode.mjs URL");
  process.exit(2);
}

try {
  const recorded = await record();
  await withBrowser((browser) => measure(browser, recorded));
} catch (error) {
  console.error(`decode: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** Plays for a while, and returns what came, in base64, with the ships that moved in a frame on average. */
async function record() {
  const lobby = new Lobby(url);
  await lobby.guest("Anna");
  const seat = await lobby.play("swarm");
  const messages = [];
  let [frames, moved, bytes] = [0, 0, 0];
  let finish;
  const full = new Promise((resolve) => (finish = resolve));
  const match = await Match.connect(seat, {
    webSocket: (address, protocols) => {
      const socket = new WebSocket(address, { protocols, headers: { Origin: url } }); // as a page's
      socket.addEventListener("message", ({ data }) => messages.push(Buffer.from(data).toString("base64")));
      return socket;
    },
    onFrame: () => ++frames >= FRAMES && finish(),
  });
  match.onChange("Ships", () => moved++);
  await full;
  bytes = match.stats.bytesIn;
  const ships = match.tables.Ships.size;
  await match.leave().catch(() => undefined); // what was wanted is here
  assert.ok(ships >= SHIPS, `there were ${ships} ships`);
  console.log(`${frames} frames of ${Math.round(bytes / frames)} bytes; of ${ships} ships ${Math.round(moved / frames)} changed from one to the next`);
  assert.ok(moved / frames >= SHIPS * 0.7, "they hardly moved");
  return { messages, frames, moved: moved / frames };
}

async function measure(browser, { messages, frames, moved }) {
  const source = new URL("../../client/ts/src/index.ts", import.meta.url).pathname;
  const { outputFiles } = await build({ entryPoints: [source], bundle: true, minify: true, format: "iife", globalName: "muster", target: "es2022", write: false });
  const page = await (await browser.newContext()).newPage();
  const said = complaints(page, "page");
  await page.evaluate(outputFiles[0].text + ";window.client = muster");
  await page.evaluate(([messages]) => {
    window.messages = messages.map((m) => Uint8Array.from(atob(m), (c) => c.charCodeAt(0)).buffer);
  }, [messages]);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const busy = async () => (await session.send("Performance.getMetrics")).metrics.find((m) => m.name === "ThreadTime").value;
  /** The processor's time, in seconds, that the page takes for all messages and so many pictures a frame; enough is little enough. */
  const run = async (pictures, enough) => {
    let least = Infinity;
    for (let i = 0; i < REPEATS || (i < MOST_REPEATS && least > enough); i++) {
      const from = await busy();
      const seen = await page.evaluate(replay, [pictures, SUBPROTOCOL, RATE]);
      least = Math.min(least, (await busy()) - from);
      assert.equal(seen.frames, frames);
      assert.equal(seen.pictures, pictures === 0 ? 0 : pictures * frames);
      assert.ok(seen.ships >= (pictures === 0 ? 0 : SHIPS), `${seen.ships} ships were shown`);
    }
    return least;
  };
  // Some wait to come into play again: what is counted is as if two hundred had moved.
  const seconds = (frames / RATE) * Math.min(1, moved / SHIPS);
  const read = (await run(0, MOST * seconds)) / seconds;
  const shown = (await run(PICTURES / RATE, MOST * seconds)) / seconds;
  console.log(`${percent(read)} of a core to read ${RATE} frames a second, ${percent(shown)} with the rows for ${PICTURES} pictures a second`);
  assert.deepEqual(said, []);
  assert.ok(shown <= MOST, `want at most ${percent(MOST)}`);
}

/** Takes all messages in, in the page. */
async function replay([pictures, protocol, rate]) {
  const { Match } = window.client;
  let now = 1000;
  const socket = { readyState: 1, protocol, bufferedAmount: 0, binaryType: "", send() {}, close() {} };
  const seen = { frames: 0, pictures: 0, ships: 0 };
  const opened = Match.connect({ room: "r", url: "ws://r", token: "t" }, {
    webSocket: () => socket, now: () => now,
    schedule: (call, ms) => {
      if (ms === 0) queueMicrotask(call);
      return () => {};
    },
    onFrame: () => seen.frames++,
  });
  socket.onopen({});
  let match;
  for (const data of window.messages) {
    const before = seen.frames;
    socket.onmessage({ data });
    match ??= await opened;
    if (seen.frames === before) continue;
    for (let i = 0; i < Math.max(1, pictures); i++) {
      now += 1000 / rate / Math.max(1, pictures);
      if (pictures === 0) continue;
      seen.ships = Math.max(seen.ships, match.view(now).tables.Ships.size);
      seen.pictures++;
    }
  }
  match.close();
  return seen;
}

function percent(part) {
  return `${(100 * part).toFixed(2)} %`;
}
