import assert from "node:assert/strict";
import { test } from "node:test";
import { BacklogError, Outbox } from "../src/outbox.js";
import { MAX_CLIENT_MESSAGE, MAX_INPUT_BODY, MAX_INPUTS } from "../src/protocol.js";
import { writePacket } from "../src/to_server.js";
import { Writer } from "../src/writer.js";
import { random } from "./random.js";

const body = (n: number, size = 3) => new Uint8Array(size).fill(n);
const writer = new Writer();
const sequences = (o: Outbox) => o.packets(256).map((p) => p.map((i) => i.seq));

/** What was given to send for a command. */
const given = (n: number) => ({ n });

/** An outbox that continues after a sequence, with n inputs of a size. */
function filled(mode: "samples" | "commands", n: number, size = 3): Outbox {
  const o = new Outbox();
  o.welcome(mode, 0);
  for (let i = 1; i <= n; i++) o.add(100 + i, 99, 0, body(i, size), given(i));
  return o;
}

test("without inputs there is one empty packet", () => {
  assert.deepEqual(sequences(new Outbox()), [[]]);
});

test("commands that another program overtook are kept with what was given to send, the newest 256", () => {
  const o = filled("commands", 200);
  o.ack(50, 50);
  o.welcome("commands", 1000);
  for (let i = 1; i <= 200; i++) o.add(1, 1, 0, body(0), given(1000 + i));
  assert.equal(o.unprocessed.length, 350, "those that are still sent, too");
  o.welcome("commands", 9999);
  const got = o.unprocessed;
  assert.equal(got.length, 256);
  assert.deepEqual(got[0], { seq: 145, input: given(145) });
  assert.deepEqual(got.at(-1), { seq: 1200, input: given(1200) });
});

test("ticks of inputs never fall", () => {
  const o = filled("samples", 0);
  for (const tick of [5, 3, 6]) o.add(tick, 1, 0, body(0), given(0));
  assert.deepEqual(o.packets(1)[0]!.map((i) => i.tick), [6, 5, 5]);
});

test("samples fit into one packet, if need be without the oldest", () => {
  const o = filled("samples", 10, 3000);
  assert.deepEqual(sequences(o), [[10, 9]]);
});

test("commands take as many packets as they need, the oldest first", () => {
  const o = filled("commands", 5, 3000);
  assert.deepEqual(sequences(o), [[2, 1], [4, 3], [5]]);
});

test("the oldest sample gives way, a command is not taken", () => {
  const samples = filled("samples", 33);
  assert.equal(sequences(samples)[0]!.at(-1), 2);
  const commands = filled("commands", 256);
  assert.throws(() => commands.add(200, 1, 0, body(0), given(0)), BacklogError);
  commands.ack(256, 1);
  assert.equal(commands.add(200, 1, 0, body(0), given(0)).seq, 257);
});

test("a packet has 32 commands at most, and there are no more packets than asked for", () => {
  const o = filled("commands", 70);
  assert.deepEqual(sequences(o).map((p) => [p[0], p.at(-1)]), [[32, 1], [64, 33], [70, 65]]);
  assert.equal(o.packets(2).length, 2);
});

test("the outbox is crowded while a command waits for a second packet", () => {
  const o = filled("commands", 32);
  assert.equal(o.crowded, false);
  for (let i = 0; i < 100; i++) o.add(200, 1, 0, body(0), given(0));
  assert.equal(o.crowded, true);
  o.ack(100, 0);
  assert.equal(o.crowded, false, "32 are not processed, whatever is not durable");
});

test("whatever is acknowledged, lost or taken back, packets are in order without gaps", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const rnd = random(seed);
    const mode = rnd(2) === 0 ? "samples" : "commands";
    const most = mode === "samples" ? 32 : 256;
    const o = new Outbox();
    let seq = rnd(100); // of the newest input
    let room = seq; // what the room has, and what it cannot lose
    let durable = seq;
    o.welcome(mode, seq);
    for (let step = 0; step < 30; step++) {
      const size = [1, 300, MAX_INPUT_BODY][rnd(3)]!;
      switch (rnd(5)) {
        case 0:
        case 1:
          for (let n = rnd(100); n > 0; n--) {
            if (mode === "commands" && seq - durable === most) {
              assert.throws(() => o.add(seq, 0, 0, body(0, size), given(0)), BacklogError);
            } else {
              assert.equal(o.add(seq, 0, 0, body(0, size), given(0)).seq, ++seq);
            }
          }
          break;
        case 2:
          room += rnd(seq - room + 1);
          durable += rnd(room - durable + 1);
          o.ack(room, durable);
          break;
        case 3:
          room = durable + rnd(room - durable + 1); // a failover
          if (rnd(2) === 0) o.welcome(mode, room);
          else o.rebase(room);
          break;
        case 4:
          if (rnd(4) > 0) break;
          seq = room = durable = seq + 1 + rnd(1000); // another program played on
          o.welcome(mode, seq);
      }
      const packets = o.packets(256);
      for (const p of packets) {
        assert.ok(p.length <= MAX_INPUTS);
        writePacket(writer.reset(), 1n, 2, 3, p);
        assert.ok(writer.length <= MAX_CLIENT_MESSAGE, `seed ${seed}: ${writer.length} bytes`);
      }
      const sent = packets.flatMap((p) => p.map((i) => i.seq).reverse());
      const oldest = mode === "commands" ? room + 1 : seq - sent.length + 1; // of samples the oldest may be missing
      assert.ok(oldest > room, `seed ${seed}`);
      assert.deepEqual(sent, Array.from({ length: seq - oldest + 1 }, (_, i) => oldest + i), `seed ${seed}`);
      if (mode === "samples") assert.ok(packets.length === 1 && (sent.length > 0 || seq === room));
    }
  }
});

test("what is processed is not repeated, what is durable is forgotten", () => {
  const o = filled("commands", 6);
  o.ack(4, 2);
  assert.deepEqual(sequences(o), [[6, 5]]);
  o.rebase(2); // a failover took 3 and 4 back
  assert.deepEqual(sequences(o), [[6, 5, 4, 3]]);
  o.rebase(0);
  assert.deepEqual(sequences(o), [[6, 5, 4, 3]], "1 and 2 are gone for good");
});

test("a welcome says what the room has", () => {
  const o = filled("samples", 5);
  o.ack(3, 1);
  o.welcome("samples", 4);
  assert.deepEqual(sequences(o), [[5]]);
  o.ack(3, 1); // a frame of before it was used
  assert.deepEqual(sequences(o), [[5]]);
  o.welcome("samples", 1);
  assert.deepEqual(sequences(o), [[5, 4, 3, 2]]);
  o.welcome("samples", 9); // another program played on
  assert.deepEqual(sequences(o), [[]]);
  assert.equal(o.processed, 9);
  assert.equal(o.add(200, 1, 0, body(0), given(0)).seq, 10);
});
