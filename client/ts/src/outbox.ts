import { MAX_CLIENT_MESSAGE, MAX_INPUTS } from "./protocol.js";
import type { PacketInput } from "./to_server.js";

// What a packet and an input cost at most besides the body, in bytes: the MessagePack heads and integers.
const PACKET_COST = 48;
const INPUT_COST = 16;

const KEPT_SAMPLES = MAX_INPUTS; // one packet's
const KEPT_COMMANDS = 256; // a durable number that moves each 5 s lets 51 a second through

/** Thrown by send when as many commands as a client keeps, 256, wait to be durable. The command was not taken. */
export class BacklogError extends Error {
  override readonly name = "BacklogError";

  constructor() {
    super("too many commands wait");
  }
}

/** An input as it was given to send. */
export interface Sent {
  seq: number;
  input: unknown;
}

/** An input that is kept: for the wire, and as it was given. */
type Kept = PacketInput & Sent;

/**
 * Keeps the inputs that the server may still need: until they are durable, and 32 samples or 256 commands at most. Above
 * that a sample makes place by dropping the oldest, which newer ones have made worthless, and a command is not taken.
 */
export class Outbox {
  #mode: "samples" | "commands" = "samples";
  #seq = 0; // of the newest input
  #processed = 0; // the newest that a frame contained; never falls
  #room = 0; // the newest that need not be repeated; falls when a failover took inputs back
  #tick = 0; // of the newest input: ticks fall only where restart brings them down
  #list: Kept[] = []; // the oldest first
  #overtaken: Sent[] = []; // the newest commands that another program's went before, 256 at most

  /** The newest input that a frame contained. */
  get processed(): number {
    return this.#processed;
  }

  /** The inputs that no frame has contained, oldest first; also commands that another program overtook. */
  get unprocessed(): Sent[] {
    return [...this.#overtaken, ...this.#open()];
  }

  // The room falls where a failover took inputs back.
  #open(): Sent[] {
    const told = Math.min(this.#processed, this.#room);
    return this.#list.filter(({ seq }) => seq > told).map(({ seq, input }) => ({ seq, input }));
  }

  /** Takes an input, as its body and as it was given, and returns its sequence and tick. Throws a BacklogError. */
  add(tick: number, view: number, frac: number, body: Uint8Array, input: unknown): PacketInput {
    if (this.#list.length >= (this.#mode === "commands" ? KEPT_COMMANDS : KEPT_SAMPLES)) {
      if (this.#mode === "commands") throw new BacklogError();
      this.#list.shift();
    }
    this.#seq++;
    this.#tick = Math.max(this.#tick, tick);
    const kept = { seq: this.#seq, tick: this.#tick, view, frac, body, input };
    this.#list.push(kept);
    return kept;
  }

  /** Notes what a frame's head says. */
  ack(processed: number, durable: number): void {
    while (this.#list[0] && this.#list[0].seq <= durable) this.#list.shift();
    this.#room = Math.max(this.#room, processed);
    this.#processed = Math.max(this.#processed, processed);
  }

  /** Takes up the sequence that the room has of this seat. What it has not got is sent again. */
  welcome(mode: "samples" | "commands", seq: number): void {
    this.#mode = mode;
    if (seq > this.#seq) {
      // Another program played on, or this one starts.
      if (mode === "commands") this.#overtaken = this.unprocessed.slice(-KEPT_COMMANDS);
      this.#seq = this.#processed = seq;
      this.#list = [];
    }
    this.#room = seq;
  }

  /** Notes what a new epoch's first frame contains: inputs behind that were taken back and are sent again. */
  rebase(processed: number): void {
    this.#room = processed;
  }

  /**
   * Notes the tick of a new epoch, or after a jump, which may be an earlier one: no input has to wait for a tick that was
   * taken back.
   */
  restart(tick: number): void {
    this.#tick = 0;
    for (const input of this.#list) input.tick = Math.min(input.tick, tick);
  }

  /** The inputs that the room has not processed, oldest first. */
  #waiting(): PacketInput[] {
    return this.#list.filter((input) => input.seq > this.#room);
  }

  /** That the newest command has to wait for a second packet. */
  get crowded(): boolean {
    return this.#mode === "commands" && this.#waiting().length > MAX_INPUTS;
  }

  /**
   * The packets that bring the unprocessed inputs, each with its newest first, up to most of them; an empty one when
   * there are none. Samples fit into one packet: if need be without the oldest. Commands take as many as they need,
   * oldest first: the room takes them in order alone.
   */
  packets(most: number): PacketInput[][] {
    let open = this.#waiting();
    if (this.#mode === "samples") {
      let from = open.length;
      for (let left = MAX_CLIENT_MESSAGE - PACKET_COST; from > 0; from--) {
        left -= INPUT_COST + open[from - 1]!.body.length;
        if (left < 0) break;
      }
      open = open.slice(from);
    }
    const packets: PacketInput[][] = [];
    do {
      let n = 0;
      for (let left = MAX_CLIENT_MESSAGE - PACKET_COST; n < Math.min(open.length, MAX_INPUTS); n++) {
        left -= INPUT_COST + open[n]!.body.length;
        if (left < 0) break;
      }
      packets.push(open.slice(0, n).reverse());
      open = open.slice(n);
    } while (open.length > 0 && packets.length < most);
    return packets;
  }
}
