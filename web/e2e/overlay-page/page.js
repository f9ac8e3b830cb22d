// A match that is made up, a minute of it, and the overlay over it.

import { Overlay, Simulator } from "/client/overlay/index.js";

const real = location.search === "?real";
const RATE = 20;
const KILL = 24_000; // when the host is killed, then the socket is lost, then the network stands still
const LOST = 38_000;
const STALL = 49_000;
const MINUTE = 58_000;

let seed = 7;
const random = () => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed / 0x7fffffff;
};

const match = {
  state: "playing",
  info: { room: "room-1", seat: 3, epoch: 7n, rate: RATE },
  stats: {
    rttMs: 46, jitterMs: 4, frames: 2, frameGapMs: 50, bytesIn: 0, bytesOut: 0, leadTicks: 1, shed: 0, resumes: 0,
    decodeErrors: 0, hashMismatches: 0, bytesByScope: new Map([[0, 0], [3, 0], [0x801, 0], [0x802, 0]]),
    bytesByTable: { Ships: 0, Bullets: 0, Round: 0 },
    prediction: { states: 0, mispredicted: 0, replayed: 0, error: 0 },
  },
};

/** One frame of 50 ms; away: it does not come. */
function frame(t, gap = 50, away = false) {
  const s = match.stats;
  if (t % 1000 === 0) s.rttMs += (46 + 20 * Math.sin(t / 9000) + 14 * random() - s.rttMs) / 2;
  s.bytesOut += 17;
  if (away) return;
  s.frames++;
  s.frameGapMs = gap + 12 * (random() - 0.5);
  s.jitterMs += (Math.abs(s.frameGapMs - 50) - s.jitterMs) / 16;
  const busy = 1 + 0.6 * Math.sin(t / 5000) + 0.3 * random();
  const add = (map, key, n) => map.set(key, map.get(key) + n);
  const [room, own, cell] = [Math.round(42 * busy), Math.round(4 + 3 * random()), Math.round(30 * busy * random())];
  add(s.bytesByScope, 0, room);
  add(s.bytesByScope, 3, own);
  add(s.bytesByScope, 0x801, cell);
  s.bytesByTable.Ships += Math.round(room * 0.6 + cell * 0.7) + own;
  s.bytesByTable.Bullets += Math.round(room * 0.35 + cell * 0.3);
  if (t % 500 === 0) s.bytesByTable.Round += 3;
  s.bytesIn += room + own + cell + 13;
  s.leadTicks = random() < 0.04 ? -1 : 1 + Math.floor(2 * random());
  const p = s.prediction;
  p.states++;
  p.error = random() < 0.08 ? 0.1 + random() * random() * 1.4 : 0.01 * random();
  if (p.error > 0.02) [p.mispredicted, p.replayed] = [p.mispredicted + 1, p.replayed + 3];
}

function script(t) {
  const s = match.stats;
  if (t > KILL && t < KILL + 840) return frame(t, 50, true);
  if (t === KILL + 850) {
    s.takeover = { count: 1, pausedMs: 840, rolledBackTicks: 6 };
    match.info = { ...match.info, epoch: 8n };
    s.frames++;
    return frame(t, 840);
  }
  if (t > LOST && t < LOST + 600) {
    match.state = "reconnecting";
    return frame(t, 50, true);
  }
  if (t === LOST + 600) {
    match.state = "playing";
    s.resumes++;
  }
  if (t > STALL && t < STALL + 1000) return frame(t, 50, true);
  frame(t, t === STALL + 1000 ? 1000 : 50);
}

// A clock that the script moves on, or the true one.
let now = 0;
let timers = [];
let taken = 0;
const schedule = (call, ms) => {
  const timer = { at: now + ms, call };
  timers.push(timer);
  return () => void (timers = timers.filter((t) => t !== timer));
};
function run(ms) {
  for (const end = now + ms; now < end; now += 50) {
    script(now);
    for (const due of timers.filter((t) => t.at <= now)) {
      timers = timers.filter((t) => t !== due);
      due.call();
    }
  }
}

const heard = [];
addEventListener("keydown", (e) => {
  if (e.code === "Backquote") window.trial.overlay.toggle();
  else heard.push(e.code);
});

const sim = new Simulator();
const overlay = new Overlay(match, { sim, ...(!real && { now: () => now, schedule }) });
if (real) setInterval(() => frame((taken += 50)), 50);
else run(MINUTE);
window.trial = { overlay, sim, heard, run, killedAgo: MINUTE - KILL - 850, timers: () => timers.length };
