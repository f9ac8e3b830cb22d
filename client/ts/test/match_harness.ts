import type { TestContext } from "node:test";
import { type CloseInfo, Match, type MatchOptions, type MatchState } from "../src/index.js";
import { type Events, FakeSocket, type Input, type State, welcome, type WelcomeFields } from "./fake_server.js";
import { FakeTime } from "./fake_time.js";

export const seat = { room: "room-1", url: "ws://node-1/v1/match/room-1", token: "seat-token" };

/** The sockets, the clock and what the match has told. */
export class Harness {
  readonly time = new FakeTime();
  readonly sockets: FakeSocket[] = [];
  readonly states: MatchState[] = [];
  readonly closes: CloseInfo[] = [];
  readonly options: MatchOptions<State, Input>;

  constructor(options: MatchOptions<State, Input> = {}) {
    this.options = {
      webSocket: (url, protocols) => {
        const socket = new FakeSocket(url, protocols);
        this.sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      now: this.time.now,
      schedule: this.time.schedule,
      random: () => 0.5,
      onState: (state) => this.states.push(state),
      onClose: (close) => this.closes.push(close),
      ...options,
    };
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  connect(): Promise<Match<State, Input, Events>> {
    return Match.connect<State, Input, Events>(seat, this.options);
  }

  /** Connects, and has the server welcome the client. */
  async join(w: WelcomeFields = {}): Promise<Match<State, Input, Events>> {
    const match = this.connect();
    this.accept(w);
    return match;
  }

  /** The server accepts the newest socket and welcomes it. */
  accept(w: WelcomeFields = {}): void {
    this.socket.open();
    this.socket.say(welcome(w));
    this.time.advance(0); // who awaits connect has had a turn
  }
}

/** Collects what the program's own functions throw, which surfaces as uncaught otherwise. */
export function uncaught(t: TestContext): unknown[] {
  const thrown: unknown[] = [];
  t.mock.method(globalThis, "queueMicrotask", (f: () => void) => {
    try {
      f();
    } catch (e) {
      thrown.push(e);
    }
  });
  return thrown;
}
