import { ended, type Ended, endedByBye } from "./close.js";
import { CODE_LOST } from "./codes.js";
import { TickClock } from "./clock.js";
import { Decoder, type ScopeError } from "./decoder.js";
import { type EventBody, readEvent } from "./event.js";
import { sameValue } from "./field.js";
import { type Block, type Head, noHead, readFrame } from "./frame.js";
import {
  isFrame, type Message, openMessage, type Placement, readBye, readEnd, readEvents, readPong, readRefreshed,
  readWelcome, type Welcome,
} from "./from_server.js";
import { writeInput } from "./input.js";
import { Outbox, type Sent } from "./outbox.js";
import {
  FROM_BYE, FROM_END, FROM_EVENTS, FROM_PONG, FROM_REFRESHED, FROM_WELCOME, MAX_INPUT_BODY, PROTOCOL,
} from "./protocol.js";
import type { PredictionStats } from "./reconcile.js";
import { Schema } from "./schema.js";
import { framed, type Socket } from "./socket.js";
import { type RowTell, Tables } from "./tables.js";
import { type PacketInput, writeLeave, writePacket, writePing, writeRefresh, writeResync } from "./to_server.js";
import { Writer } from "./writer.js";

/** What the newest welcome says of a seat. */
export interface MatchInfo {
  readonly room: string;
  readonly game: string;
  /** The version of the game's rules. */
  readonly rules: string;
  /** Counts from 1; 0 for one who only watches. */
  readonly seat: number;
  readonly player: string;
  /** Names a tick together with its number; higher after another node took the match over. */
  readonly epoch: bigint;
  /** Ticks per second. */
  readonly rate: number;
  /** Samples: the newest counts, at most one a tick. Commands: each is applied once, in order, or refused. */
  readonly inputs: "samples" | "commands";
}

/** A frame that was applied. */
export interface FrameInfo {
  tick: number;
  /** The newest of this seat's inputs that the state contains, and the newest that no failover can take back. */
  processed: number;
  durable: number;
  /** Ticks that the inputs used last came before their tick, the least of them; negative: too late. */
  lead: number;
  /** Of the message, with its framing. */
  bytes: number;
  /** When it arrived, in milliseconds of performance.now or of the option now. */
  at: number;
}

/** Counts since connect, over all sockets. Bytes are those of the messages with their framing, without TLS and TCP. */
export interface MatchStats {
  /** The round trip, smoothed; 0 before the first measurement, which is made every second. */
  rttMs: number;
  /** How much the arrival of frames varies, smoothed. */
  jitterMs: number;
  frames: number;
  bytesIn: number;
  bytesOut: number;
  /** Scopes that could not be decoded, and scopes whose view hash differed. */
  decodeErrors: number;
  hashMismatches: number;
  /** Keyframes asked for. */
  resyncs: number;
  /** Sockets lost and taken up again. */
  resumes: number;
  /** Newer tokens that the server took, and times that the option refresh gave none which could be sent. */
  refreshes: number;
  refreshErrors: number;
  /** Event messages that did not follow the last one; the server sends what is missing on the next socket. */
  eventGaps: number;
  /** What the newest host cost; absent while the match has had one alone. */
  takeover?: Takeover;
  /** Of the frames' blocks, by scope. */
  readonly bytesByScope: ReadonlyMap<number, number>;
  /** Of the frames' blocks, by table: parts of bytes count as they are. */
  readonly bytesByTable: Readonly<Record<string, number>>;
  /** Between the last two frames, in milliseconds. */
  frameGapMs: number;
  /** How many ticks before its use the last new input came; negative: too late. */
  leadTicks: number;
  /** Packets of samples that were held back since more than 4 KiB waited in the socket: the next one says the same. */
  shed: number;
  /** Since match.predict. */
  prediction: Readonly<PredictionStats> | undefined;
}

/** What it cost that another host took the match over. */
export interface Takeover {
  /** How many there were so far, with this one. */
  readonly count: number;
  /** The time between the last frame of the host before and the first one of this. */
  readonly pausedMs: number;
  /** By how many ticks the latter is earlier than the former: so much of what was seen was played anew. */
  readonly rolledBackTicks: number;
}

/** What a Play tells. None may throw. */
export interface PlayListener {
  row: RowTell;
  welcomed(): void;
  /** Ticks count anew from the frame that is about to be told: another host, or a clock that jumped. */
  restarted(): void;
  /** In how many seconds the player's token ends; 0 for never. After each welcome and each newer token. */
  expires(seconds: number): void;
  frame(info: FrameInfo): void;
  event(tick: number, number: number, body: EventBody): void;
  end(placements: Placement[]): void;
}

const PING_EVERY_MS = 1000;
const ACK_EVERY_MS = 100; // without inputs, the server is told this often what has arrived
// Packets that are sent at once at most. The room takes commands in order and a server listens to two messages a tick, so
// that more of the newest would only be dropped there.
const FLUSH_PACKETS = 2;
const RESYNC_EVERY_MS = 1000; // at most one request for a keyframe of a scope in this time
// Above this many bytes that wait in the socket no samples are added: they would come too late, and the next packet
// brings the newest 32 again.
const MOST_WAITING = 4 << 10;
const JUMP_MS = 5000; // a frame that is off by more from when the one before says that it comes: a clock has jumped

/**
 * One seat's part in a match, over all the sockets that it takes: messages in, messages out. It opens no socket and
 * reads no clock; every call says when it is, in milliseconds.
 */
export class Play {
  readonly #byScope = new Map<number, number>();
  readonly #byTable: Record<string, number> = {};
  readonly stats: MatchStats = {
    rttMs: 0, jitterMs: 0, frames: 0, bytesIn: 0, bytesOut: 0, decodeErrors: 0, hashMismatches: 0, resyncs: 0, resumes: 0,
    refreshes: 0, refreshErrors: 0, eventGaps: 0, bytesByScope: this.#byScope, bytesByTable: this.#byTable,
    frameGapMs: 0, leadTicks: 0, shed: 0, prediction: undefined,
  };

  // Others read these. Info, schema and tables are there from the first welcome on; the last two are then the same for
  // good.
  info: MatchInfo | undefined;
  schema: Schema | undefined;
  tables: Tables | undefined;
  /** The bearer token for the next socket; "" where there is none. */
  resume = "";
  clock = new TickClock(1);
  /** Of the newest frame; what the next one's differs from. */
  head: Head = noHead;

  readonly #listener: PlayListener;
  readonly #socket: () => Socket | undefined;
  readonly #outbox = new Outbox();
  readonly #writer = new Writer();
  readonly #body = new Writer();

  // What a welcome begins.
  #welcomed = false;
  #epoch = 0n; // the highest seen
  #decoder: Decoder | undefined;
  #last: { epoch: bigint; tick: number; at: number } | undefined; // the newest frame of all sockets
  #event = 0;
  #rebase = false; // a new epoch may number its events from 1 again
  #view: { tick: number; frac: number } | undefined;
  #pingedAt: number | undefined;
  #writtenAt: number | undefined; // when the last input packet was
  readonly #askedAt = new Map<number, number>(); // by scope, when a keyframe was asked for

  /** socket is the present one. */
  constructor(listener: PlayListener, socket: () => Socket | undefined) {
    this.#listener = listener;
    this.#socket = socket;
  }

  /** Expects a welcome next: a new socket was opened. */
  reopen(): void {
    this.#welcomed = false;
  }

  /** Acts on one message. Returns why the socket has ended with it, if it has; throws a MalformedError. */
  message(bytes: Uint8Array, at: number): Ended | undefined {
    const size = framed(bytes.length, false);
    this.stats.bytesIn += size;
    const m = openMessage(bytes);
    if (m.kind === FROM_BYE) return endedByBye(readBye(m));
    if (!this.#welcomed) {
      if (m.kind !== FROM_WELCOME) m.r.fail();
      return this.#welcome(readWelcome(m), at);
    }
    if (isFrame(m.kind)) return this.#frame(m, size, at);
    if (m.kind === FROM_EVENTS) this.#events(m);
    else if (m.kind === FROM_PONG) this.#pong(m, at);
    else if (m.kind === FROM_REFRESHED) this.#refreshed(m);
    else if (m.kind === FROM_END) this.#listener.end(readEnd(m).placements);
    return undefined; // a kind that is unknown here comes from a newer server and is passed over
  }

  /** Encodes an input; throws where it is none of the game's. */
  encode(input: object): Uint8Array {
    this.#body.reset();
    writeInput(this.#body, this.schema?.input ?? [], input);
    if (this.#body.length > MAX_INPUT_BODY) {
      throw new RangeError(`an input of ${this.#body.length} bytes`);
    }
    return this.#body.bytes();
  }

  /**
   * Takes an encoded input and what was given to send, sends it with repeats of those before it, and returns its sequence
   * and the tick that it is for. A command that has more than a packet of them before it is sent after a frame, in its
   * turn. Throws a BacklogError.
   */
  take(body: Uint8Array, input: unknown, now: number): PacketInput {
    const { tick, frac } = this.#view ?? { tick: this.head.tick, frac: 0 };
    const sent = this.#outbox.add(this.clock.target(now), tick, frac, body, input);
    if (!this.#outbox.crowded) this.#flush(now);
    return sent;
  }

  /** Says what the player looks at, for the inputs from now on. frac is in 1/256. */
  setView(tick: number, frac: number): void {
    this.#view = { tick, frac };
  }

  /** Gives the seat up. */
  leave(): void {
    writeLeave(this.#writer.reset());
    this.#write();
  }

  /** The inputs that no frame has contained, oldest first. */
  get unprocessed(): Sent[] {
    return this.#outbox.unprocessed;
  }

  /** Sends a newer token of the player. */
  refresh(token: string): void {
    writeRefresh(this.#writer.reset(), token);
    this.#write();
  }

  /** Begins with a welcome: the frames of a new socket build on nothing that came before. */
  #welcome(w: Welcome, at: number): Ended | undefined {
    if (w.version !== PROTOCOL) return ended(4426);
    if (w.epoch < this.#epoch) return ended(CODE_LOST);
    const schema = Schema.parse(w.schema);
    if (this.schema && !sameValue(this.schema.bytes, schema.bytes)) return ended(4426, "the game's types have changed");
    this.schema ??= schema;
    this.#decoder = new Decoder(this.schema);
    if (this.tables) this.tables.follow(this.#decoder);
    else this.tables = new Tables(this.#decoder, this.#listener.row);
    for (const { name } of schema.tables) this.#byTable[name] ??= 0;
    const { room, game, rules, seat, player, epoch, rate, inputs } = w;
    const goesOn = this.info?.epoch === epoch;
    this.info = { room, game, rules, seat, player, epoch, rate, inputs };
    this.#event = Math.max(goesOn ? this.#event : Math.min(this.#event, w.kept), w.event);
    if (goesOn) this.clock.reopen();
    else {
      this.clock = new TickClock(rate);
      this.#outbox.restart(w.tick);
    }
    this.#epoch = epoch;
    this.#rebase = false;
    this.resume = w.resume;
    if (w.tick) this.clock.frame(w.tick, at); // it is sent with that tick's frame; 0: one who watches is shown nothing yet
    this.#outbox.welcome(inputs, w.seq);
    this.head = noHead;
    this.#view = undefined;
    this.#pingedAt = this.#writtenAt = undefined; // both follow the first frame
    this.#askedAt.clear();
    this.#welcomed = true;
    this.#listener.welcomed();
    this.#listener.expires(w.expires);
    return undefined;
  }

  #frame(m: Message, bytes: number, at: number): Ended | undefined {
    const frame = readFrame(m, this.head);
    const h = frame.head;
    const { epoch, tick, processed, durable, lead } = h;
    if (epoch < this.#epoch) return ended(CODE_LOST);
    if (epoch > this.#epoch) this.#newEpoch(h);
    else if (this.#last?.epoch !== epoch) this.#listener.restarted(); // since the welcome, which began a clock
    else if (this.#jumped(tick, at)) this.#restart(tick);
    if (this.head !== noHead) this.stats.frameGapMs = at - this.#last!.at;
    this.head = h;
    this.#heal(this.#decoder!.apply(frame), at);
    this.#weigh(frame.blocks);
    this.stats.frames++;
    this.#reckon(h, at);
    this.clock.frame(tick, at);
    if (processed > this.#outbox.processed) {
      this.clock.lead(lead);
      this.stats.leadTicks = lead;
    }
    this.#outbox.ack(processed, durable);
    this.stats.jitterMs = this.clock.jitterMs;
    this.tables!.update();
    this.#listener.frame({ tick, processed, durable, lead, bytes, at });
    this.#upkeep(at);
    return undefined;
  }

  /** Notes what another host cost, whether behind the same socket or on a new one. */
  #reckon({ epoch, tick }: Head, at: number): void {
    const last = this.#last;
    if (last && epoch > last.epoch) {
      const count = (this.stats.takeover?.count ?? 0) + 1;
      this.stats.takeover = { count, pausedMs: at - last.at, rolledBackTicks: Math.max(0, last.tick - tick) };
    }
    this.#last = { epoch, tick, at };
  }

  /** Another host took the match over, behind the same socket. */
  #newEpoch(h: Head): void {
    this.#epoch = h.epoch;
    this.info = { ...this.info!, epoch: h.epoch };
    this.#rebase = true;
    this.#view = undefined;
    this.#outbox.rebase(h.processed);
    this.#restart(h.tick);
  }

  /**
   * Whether the local clock or the room's has jumped since the newest frame, which may be of a socket before: by one that
   * slept, or was set. An estimate would take long to follow.
   */
  #jumped(tick: number, at: number): boolean {
    const last = this.#last!;
    return Math.abs(at - last.at - ((tick - last.tick) * 1000) / this.info!.rate) > JUMP_MS;
  }

  #restart(tick: number): void {
    this.clock.restart();
    this.#outbox.restart(tick);
    this.#listener.restarted();
  }

  /** Counts what a frame's blocks took. */
  #weigh(blocks: readonly Block[]): void {
    for (const { scope, data } of blocks) this.#byScope.set(scope, (this.#byScope.get(scope) ?? 0) + data.length);
    const { schema, bits } = this.#decoder!;
    schema.tables.forEach(({ name }, i) => (this.#byTable[name]! += bits[i]! / 8));
    bits.fill(0);
  }

  /** Asks for the scopes that were lost. What goes wrong until a keyframe can be here is the same error. */
  #heal(errors: readonly ScopeError[], at: number): void {
    const due = (scope: number) => since(this.#askedAt.get(scope), at) >= RESYNC_EVERY_MS;
    for (const e of errors) {
      if (!due(e.scope)) continue;
      if (e.reason === "hash") this.stats.hashMismatches++;
      else this.stats.decodeErrors++;
    }
    for (const scope of this.#decoder!.lost) {
      if (!due(scope)) continue;
      this.#askedAt.set(scope, at);
      this.stats.resyncs++;
      writeResync(this.#writer.reset(), scope);
      this.#write();
    }
  }

  /**
   * Delivers the events that are new. Those that do not follow the last one are left: they are not acknowledged, so the
   * server sends what is missing before them.
   */
  #events(m: Message): void {
    const e = readEvents(m);
    if (this.#rebase && e.first === 1) this.#event = 0;
    this.#rebase = false;
    if (e.first > this.#event + 1) {
      this.stats.eventGaps++;
      return;
    }
    e.list.forEach((body, i) => {
      const number = e.first + i;
      if (number <= this.#event) return;
      const read = readEvent(this.schema!, body);
      this.#event = number;
      this.#listener.event(e.tick, number, read);
    });
  }

  #refreshed(m: Message): void {
    const seconds = readRefreshed(m);
    this.stats.refreshes++;
    this.#listener.expires(seconds);
  }

  #pong(m: Message, at: number): void {
    const { stamp, tick, frac } = readPong(m);
    const rtt = at - Number(stamp) / 1000;
    this.clock.pong(rtt, tick + frac / 65536, at);
    this.stats.rttMs = this.clock.rttMs;
  }

  /** Sends what is due after a frame: a ping, and inputs or a bare acknowledgement. */
  #upkeep(at: number): void {
    if (since(this.#pingedAt, at) >= PING_EVERY_MS) {
      this.#pingedAt = at;
      writePing(this.#writer.reset(), Math.max(0, Math.round(at * 1000)));
      this.#write();
    }
    if (this.info!.seat && since(this.#writtenAt, at) >= ACK_EVERY_MS) this.#flush(at); // nobody asks it of one who watches
  }

  /** Sends the inputs that the server may not have, or says what has arrived here when there are none. */
  #flush(now: number): void {
    if (!this.#welcomed) return; // the next socket's first frame does it
    if (this.info!.inputs === "samples" && (this.#socket()?.buffered ?? 0) > MOST_WAITING) {
      this.stats.shed++;
      return;
    }
    this.#writtenAt = now;
    for (const inputs of this.#outbox.packets(FLUSH_PACKETS)) {
      writePacket(this.#writer.reset(), this.#epoch, this.head.tick, this.#event, inputs);
      this.#write();
    }
  }

  /** Sends what the writer holds. A socket that does not take it either is full or has ended, which shows elsewhere. */
  #write(): void {
    if (this.#socket()?.send(this.#writer.bytes())) this.stats.bytesOut += framed(this.#writer.length, true);
  }
}

/** How many milliseconds have passed; no end of them where the clock was set back, or where it never was. */
export function since(then: number | undefined, now: number): number {
  return then === undefined || now < then ? Infinity : now - then;
}
