import assert from "node:assert/strict";
import { type Live, type LiveOptions, Lobby, type LobbyOptions } from "../src/index.js";
import { FakeTime } from "./fake_time.js";

export const hello = { player: "alice", name: "Alice", time: "2030-01-01T00:00:00Z", last: "0-0/0-0", expires: 0 };
export const unauthorized: [number, unknown] = [401, { title: "Unauthorized" }];

/** A lobby's side of a socket. */
export class FakeSocket {
  binaryType = "";
  protocol = "muster.lobby.v1";
  onopen = () => {};
  onmessage = (_: { data: unknown }) => {};
  onclose = (_: { code: number; reason: string }) => {};
  onerror = () => {};
  readonly sent: { n?: number; do: string; body?: unknown }[] = [];
  closed = false;

  constructor(readonly url: string, readonly protocols: string[]) {}

  send(text: string): void {
    assert.ok(!this.closed, "sends on a socket that it has closed");
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  say(message: unknown): void {
    this.onmessage({ data: JSON.stringify(message) });
  }

  event(id: string, kind: string, body: unknown): void {
    this.say({ event: { id, kind, at: "2030-01-01T00:00:00Z", body } });
  }

  /** The requests, hello and pings aside. */
  get asked() {
    return this.sent.filter((m) => m.do !== "hello" && m.do !== "ping");
  }
}

/** A lobby whose sockets and replies the test makes, and all that its Live tells. */
export class Hall {
  readonly time = new FakeTime();
  readonly sockets: FakeSocket[] = [];
  readonly replies: ([number, unknown, Record<string, string>?] | Error)[] = [];
  readonly requests: string[] = [];
  readonly told: unknown[] = [];
  readonly lobby: Lobby;
  live!: Live;

  constructor(options: LobbyOptions = {}) {
    this.lobby = new Lobby("https://play.example", {
      token: "t", schedule: this.time.schedule, now: this.time.now, random: () => 0.5,
      fetch: async (url, init) => {
        this.requests.push(`${init?.method} ${String(url).replace("https://play.example/v1/", "")}`);
        const reply = this.replies.shift() ?? new Error("a request too many");
        if (reply instanceof Error) throw reply;
        return new Response(JSON.stringify(reply[1]), { status: reply[0], ...(reply[2] && { headers: reply[2] }) });
      },
      webSocket: (url, protocols) => {
        const socket = new FakeSocket(url, protocols);
        this.sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      ...options,
    });
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** The lobby takes the newest socket. */
  accept(h: Partial<typeof hello> = {}): void {
    this.socket.onopen();
    this.socket.say({ hello: { ...hello, ...h } });
  }

  async open(o: LiveOptions = {}, h: Partial<typeof hello> = {}): Promise<Live> {
    const opening = this.lobby.live(o);
    this.accept(h);
    this.live = await opening;
    this.live.on("state", (s) => this.told.push(s));
    this.live.on("close", (info) => this.told.push(info.code));
    this.live.on("missed", () => this.told.push("missed"));
    this.live.on("event", (e) => this.told.push(e.id));
    this.time.advance(0);
    await settle();
    return this.live;
  }

  /** The newest socket ends, and the next one is opened, but not taken. */
  async lose(code = 1006, reason = ""): Promise<void> {
    const before = this.sockets.length;
    this.socket.onclose({ code, reason });
    for (let n = 0; n < 100 && this.sockets.length === before; n++) {
      this.time.advance(100);
      await settle();
    }
    assert.equal(this.sockets.length, before + 1, "no other socket is opened");
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}
