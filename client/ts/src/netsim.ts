import { type Schedule, systemSchedule } from "./schedule.js";
import { type SocketFactory, systemSocket } from "./socket.js";

/** How bad a simulated network is. All are in milliseconds from 0 on; 0 is none of it. */
export interface Conditions {
  /** Added to the round trip: half of it on each way. */
  latencyMs: number;
  /** By how much the round trip varies at most, up and down. Messages keep their order: one waits for those before it. */
  jitterMs: number;
  /** How long nothing arrives, either way; then all at once, as when TCP has to send again. */
  stallMs: number;
  /** The time between the beginnings of two stalls on average: it varies by half, up and down. */
  stallEveryMs: number;
  /** How long a socket lives on average until it is lost, with all that is on its way: it varies by half, up and down. */
  dropEveryMs: number;
}

const NONE: Conditions = { latencyMs: 0, jitterMs: 0, stallMs: 0, stallEveryMs: 0, dropEveryMs: 0 };

/** Networks to try a game on, by the name that the overlay shows. */
export const PRESETS: Readonly<Record<string, Readonly<Conditions>>> = {
  None: NONE,
  "Good Wi-Fi": { ...NONE, latencyMs: 20, jitterMs: 6 },
  "120 ± 40 ms, 1 s stalls": { ...NONE, latencyMs: 120, jitterMs: 40, stallMs: 1000, stallEveryMs: 8000 },
  Mobile: { latencyMs: 80, jitterMs: 60, stallMs: 350, stallEveryMs: 5000, dropEveryMs: 90_000 },
  Bad: { latencyMs: 250, jitterMs: 150, stallMs: 1500, stallEveryMs: 6000, dropEveryMs: 30_000 },
};

/** Where a Simulator has its time and its dice from. Tests give their own. */
export interface SimulatorOptions {
  /** A steady clock in milliseconds. Default performance.now. */
  now?: () => number;
  /** Calls a function after a time and returns what cancels that. Default setTimeout. */
  schedule?: Schedule;
  /** From 0 to below 1. Default Math.random. */
  random?: () => number;
}

const MOST_MS = 600_000;
const MOST_WAITING = 4 << 20; // bytes one way; a socket with more counts as lost, as it would without a buffer that large
const LOST = 1006; // what a platform reports of a connection that was cut

/**
 * A bad network for sockets of this program: what they send and receive is late, stalls, and is lost with its socket. One
 * simulator may have many sockets; stalls are of all of them. It has timers only while sockets of it are open.
 */
export class Simulator {
  /** How many sockets it has lost so far. */
  drops = 0;

  readonly #now: () => number;
  readonly #schedule: Schedule;
  readonly #random: () => number;
  readonly #sockets = new Set<SimulatedSocket>();
  #conditions: Conditions = NONE;
  #stall = { from: Infinity, to: Infinity }; // the present one or the next

  /** @param conditions those that are left out are none; throws a RangeError as set does */
  constructor(conditions: Partial<Conditions> = {}, options: SimulatorOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = options.schedule ?? systemSchedule;
    this.#random = options.random ?? Math.random;
    this.set(conditions);
  }

  /** What the network is like now. */
  get conditions(): Readonly<Conditions> {
    return this.#conditions;
  }

  /**
   * Changes the network, for open sockets too; conditions that are left out become none. What is on its way arrives as it
   * would have. Throws a RangeError for what is no time from 0 to ten minutes.
   */
  set(conditions: Partial<Conditions>): void {
    const next = { ...NONE, ...conditions };
    for (const [name, ms] of Object.entries(next)) {
      if (!(ms >= 0 && ms <= MOST_MS)) throw new RangeError(`${name} of ${ms}: want a time from 0 to ${MOST_MS} ms`);
    }
    this.#conditions = next;
    this.#stall = this.#stallAfter(this.#now());
    for (const socket of this.#sockets) socket.plan();
  }

  /** Loses every open socket now. Those that are being opened are left alone. */
  drop(): void {
    for (const socket of [...this.#sockets]) if (socket.readyState === 1) socket.lose();
  }

  /**
   * What opens sockets on this network. They have what Match and Lobby need of a WebSocket: the properties onopen,
   * onmessage, onclose and onerror, no listeners.
   *
   * @param inner opens the true ones; default: the WebSocket of the platform
   */
  sockets(inner: SocketFactory = systemSocket): SocketFactory {
    return (url, protocols) => {
      const socket = new SimulatedSocket(inner(url, protocols), {
        now: this.#now,
        schedule: this.#schedule,
        arrival: (now) => this.#arrival(now),
        life: () => this.#vary(this.#conditions.dropEveryMs),
        lost: () => void this.drops++,
        closed: () => void this.#sockets.delete(socket),
      });
      this.#sockets.add(socket);
      return socket as unknown as WebSocket;
    };
  }

  /** When a message arrives that is sent now, and whether a stall holds it up. */
  #arrival(now: number): Arrival {
    const { latencyMs, jitterMs } = this.#conditions;
    const jitter = jitterMs === 0 ? 0 : jitterMs * (this.#random() - 0.5);
    const at = now + Math.max(0, latencyMs / 2 + jitter);
    while (at >= this.#stall.to) this.#stall = this.#stallAfter(this.#stall.from);
    return at >= this.#stall.from ? { at: this.#stall.to, stalled: true } : { at, stalled: false };
  }

  /** The stall that follows a time, or the beginning of the stall before. */
  #stallAfter(time: number): { from: number; to: number } {
    const { stallMs, stallEveryMs } = this.#conditions;
    if (stallMs === 0 || stallEveryMs === 0) return { from: Infinity, to: Infinity };
    const from = time + Math.max(1, this.#vary(stallEveryMs));
    return { from, to: from + stallMs };
  }

  #vary(ms: number): number {
    return ms === 0 ? 0 : ms * (0.5 + this.#random());
  }
}

/**
 * Makes what opens sockets open them on a bad network. The conditions are those of a simulator, which can change them
 * later, or fixed ones.
 */
export function simulate(
  factory: SocketFactory, conditions: Partial<Conditions> | Simulator, options: SimulatorOptions = {},
): SocketFactory {
  return (conditions instanceof Simulator ? conditions : new Simulator(conditions, options)).sockets(factory);
}

interface Arrival {
  at: number;
  stalled: boolean;
}

/** What a socket has of its simulator. */
interface Net {
  now(): number;
  schedule: Schedule;
  arrival(now: number): Arrival;
  /** How long it lives from now on; 0: for good. */
  life(): number;
  lost(): void;
  closed(): void;
}

/** One direction of a socket: what is on its way arrives in order, each at its time. */
class Way {
  waiting = 0; // bytes
  stalled = 0; // of them, those that a stall holds up
  readonly #net: Net;
  readonly #queue: { at: number; size: number; stalled: boolean; arrive: () => void }[] = [];
  #cancel: (() => void) | undefined;

  constructor(net: Net) {
    this.#net = net;
  }

  /** Sends something of a size. What takes no time arrives within the call. */
  send(size: number, arrive: () => void): void {
    const now = this.#net.now();
    let { at, stalled } = this.#net.arrival(now);
    const last = this.#queue.at(-1);
    if (last && last.at >= at) [at, stalled] = [last.at, stalled || last.stalled];
    if (!last && at <= now) {
      arrive();
      return;
    }
    this.#queue.push({ at, size, stalled, arrive });
    this.waiting += size;
    if (stalled) this.stalled += size;
    if (!last) this.#plan();
  }

  /** Lets all arrive now, and is empty. */
  flush(): void {
    this.#arrive(Infinity);
  }

  /** Loses all. */
  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#queue.length = this.waiting = this.stalled = 0;
  }

  #plan(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const next = this.#queue[0];
    if (!next) return;
    this.#cancel = this.#net.schedule(() => {
      this.#cancel = undefined;
      this.#arrive(this.#net.now());
    }, Math.max(0, next.at - this.#net.now()));
  }

  #arrive(until: number): void {
    for (let next = this.#queue[0]; next && next.at <= until; next = this.#queue[0]) {
      this.#queue.shift();
      this.waiting -= next.size;
      if (next.stalled) this.stalled -= next.size;
      next.arrive(); // which may clear the queue
    }
    this.#plan();
  }
}

/** A WebSocket on a simulated network, as far as the socket of a match uses one. */
class SimulatedSocket {
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readyState = 0;

  readonly #ws: WebSocket;
  readonly #net: Net;
  readonly #out: Way;
  readonly #in: Way;
  #cancelLife = () => {};

  constructor(ws: WebSocket, net: Net) {
    this.#ws = ws;
    this.#net = net;
    this.#out = new Way(net);
    this.#in = new Way(net);
    ws.onopen = (event) => {
      // The handshake went there and back.
      this.#out.send(0, () => this.#receive(0, () => {
        this.readyState = 1;
        this.plan();
        this.onopen?.(event);
      }));
    };
    ws.onmessage = ({ data }) => this.#receive(sizeOf(data), () => this.onmessage?.({ data }));
    ws.onerror = (event) => this.#receive(0, () => this.onerror?.(event));
    ws.onclose = ({ code, reason }) => this.#receive(0, () => this.#end(code, reason));
  }

  get url(): string {
    return this.#ws.url;
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  get binaryType(): BinaryType {
    return this.#ws.binaryType;
  }

  set binaryType(type: BinaryType) {
    this.#ws.binaryType = type;
  }

  /** What the platform has not sent, and what a stall holds up: then its buffer would be full as well. */
  get bufferedAmount(): number {
    return this.#ws.bufferedAmount + this.#out.stalled;
  }

  send(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): void {
    if (this.readyState === 0) throw new Error("send on a socket that is not open yet");
    if (this.readyState !== 1) return;
    const copy = typeof data === "string" ? data : data.slice(0); // the caller's buffer is its own again
    this.#out.send(sizeOf(data), () => {
      if (this.#ws.readyState === 1) this.#ws.send(copy);
    });
    if (this.#out.waiting > MOST_WAITING) this.lose();
  }

  /** Closes: what was sent before is handed on at once, and nothing of this socket waits any more. */
  close(code?: number, reason?: string): void {
    if (this.readyState >= 2) return;
    const opened = this.readyState === 1;
    this.readyState = 2;
    if (opened) this.#out.flush(); // else it is the handshake that is on its way
    this.#stop();
    this.#ws.onclose = (event) => this.#end(event.code, event.reason);
    this.#ws.onmessage = this.#ws.onopen = this.#ws.onerror = null;
    this.#ws.close(code, reason);
  }

  /** Plans anew when the socket is lost, once it is open. */
  plan(): void {
    if (this.readyState !== 1) return;
    this.#cancelLife();
    const life = this.#net.life();
    this.#cancelLife = life === 0 ? () => {} : this.#net.schedule(() => this.lose(), life);
  }

  /** Loses the socket, and all that is on its way. */
  lose(): void {
    if (this.readyState >= 2) return;
    this.#net.lost();
    this.#stop();
    this.#ws.onopen = this.#ws.onmessage = this.#ws.onerror = this.#ws.onclose = null;
    this.#ws.close();
    this.#end(LOST, "");
  }

  #receive(size: number, arrive: () => void): void {
    this.#in.send(size, arrive);
    if (this.#in.waiting > MOST_WAITING) this.lose();
  }

  #end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#stop();
    this.onclose?.({ code, reason });
  }

  #stop(): void {
    this.#cancelLife();
    this.#cancelLife = () => {};
    this.#out.clear();
    this.#in.clear();
    this.#net.closed();
  }
}

function sizeOf(data: unknown): number {
  if (typeof data === "string") return data.length;
  const { byteLength, size } = data as { byteLength?: number; size?: number };
  return byteLength ?? size ?? 0;
}
