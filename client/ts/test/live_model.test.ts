import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeSocket, Hall, hello, settle } from "./live_harness.js";
import { random } from "./random.js";

/** A player's inbox at a lobby, and the messages that he wrote: what the fakes of the next test say follows from it. */
class Inbox {
  readonly events: string[] = []; // the place after event n is n+1
  readonly written = new Map<string, string>(); // messages by their keys
  readonly #places = new Map<FakeSocket, number>(); // by socket, what it was told

  constructor(readonly below: (n: number) => number) {}

  /** Reads what the client has sent and tells some events, at most. It forgets one answer in so many. */
  serve(socket: FakeSocket, events: number, forgets: number): void {
    for (const m of socket.sent.splice(0)) {
      if (m.do === "hello") {
        this.#places.set(socket, Number((m.body as { after: string }).after || 0));
        socket.say({ hello });
      } else if (m.do === "chat.send") {
        const { key, text } = m.body as { key: string; text: string };
        assert.equal(this.written.get(key) ?? text, text, "two messages have one key");
        this.written.set(key, text);
        if (forgets === 0 || this.below(forgets) > 0) socket.say({ re: m.n, ok: { text } });
      }
    }
    for (let at = this.#places.get(socket); at !== undefined && at < this.events.length && events > 0 && !socket.closed; events--) {
      this.#places.set(socket, at + 1);
      socket.event(String(at + 1), "chat", { text: this.events[at++] });
    }
  }
}

test("whatever becomes of its sockets, each event is told once and in order, and each message written once", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const below = random(seed);
    const inbox = new Inbox(below);
    let calm = false;
    const h = new Hall({
      random: () => below(),
      fetch: async () => new Response('{"player":"alice"}'),
      webSocket: (url, protocols) => {
        const socket = new FakeSocket(url, protocols);
        h.sockets.push(socket);
        queueMicrotask(() => {
          if (!calm && below(4) === 0) socket.onerror(); // it is not taken
          else socket.onopen();
        });
        return socket as unknown as WebSocket;
      },
    });
    const heard: string[] = [];
    const answers: Promise<string>[] = [];
    const opening = h.lobby.live();
    h.socket.onopen();
    inbox.serve(h.socket, 0, 0);
    const live = await opening;
    live.on("chat", ({ text }) => heard.push(text));
    for (let n = 0; n < 80; n++) {
      const { socket } = h;
      switch (below(6)) {
        case 0:
          inbox.events.push(`event ${n}`);
          break;
        case 1:
          if (answers.length < 20) answers.push(live.chat.send("direct:bob", `message ${n}`).then(({ text }) => text));
          break;
        case 2:
          if (!socket.closed) socket.onclose({ code: [1006, 1001, 4002, 4003][below(4)]!, reason: "" });
          break;
        case 3:
          h.time.advance(below(400));
          break;
        default:
          inbox.serve(socket, below(4), 3);
      }
      await settle();
    }
    calm = true;
    h.socket.onclose({ code: 1006, reason: "" }); // what was not answered is asked for again
    for (let n = 0; n < 200; n++) {
      h.time.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
      inbox.serve(h.socket, 100, 0);
    }
    assert.deepEqual(heard, inbox.events, `seed ${seed}`);
    assert.equal(inbox.written.size, answers.length, `seed ${seed}: a message was written twice, or not at all`);
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(inbox.written.values()));
    live.close();
  }
});

test("no message makes it throw, however it is broken", async () => {
  const messages = [
    { event: { id: "1-0/0-0", kind: "chat", at: "2030-01-01T00:00:00Z", body: { text: "a" } } }, { missed: true, last: "1-0/0-0" },
    { presence: [{ player: "bob", state: "online" }] }, { re: 1, ok: { watched: 1 } }, { re: 1, error: { status: 404, detail: "none", retry_after: 1 } },
    { bye: { code: 4002, reason: "leaving", after_ms: 100 } }, { hello },
    { published: { id: "a", kind: "x.a", at: "2030-01-01T00:00:00Z", body: 1 } },
  ].map((m) => JSON.stringify(m));
  const odd = ["null", "1e999", "{}", "[]", '""', "true", "[{}]", "-1"];
  const below = random(7);
  for (let n = 0; n < 3000; n++) {
    let text = messages[below(messages.length)]!;
    if (below(2) === 0) { // a value of another type
      const values = [...text.matchAll(/(?<=:)("[^"]*"|[\d.]+|true)/g)];
      const at = values[below(values.length)]!;
      text = text.slice(0, at.index) + odd[below(odd.length)]! + text.slice(at.index + at[0].length);
    } else { // a few characters, more or less
      const at = below(text.length);
      text = text.slice(0, at) + '{}[]":,0x'.slice(below(9)).slice(0, below(3)) + text.slice(at + below(3));
    }
    const h = new Hall();
    const opening = h.lobby.live();
    h.accept();
    const live = await opening;
    h.time.advance(0);
    live.ask("presence.watch", { players: [] }).catch(() => {});
    for (const e of ["chat", "event", "presence", "missed", "state", "close", "x.a"] as const) live.on(e, () => {});
    h.socket.onmessage({ data: text });
    assert.ok(typeof live.last === "string", text);
    live.close();
    assert.equal(h.time.next, undefined, text);
  }
});
