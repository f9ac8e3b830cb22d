// What the examples do when something fails.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { CloseError, type Lobby } from "../src/index.js";
import { closeInfo } from "../src/close.js";
import { roomChat } from "../examples/chat.js";
import { bye, FakeSocket, welcome } from "./fake_server.js";

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The chat of a form in which a message is typed, and sent. send answers to it. */
async function chatting(send: () => Promise<unknown>) {
  const field = { value: "hi", why: "", setCustomValidity: (why: string) => void (field.why = why), addEventListener: () => {} };
  let submit = (_: unknown) => {};
  const form = { querySelector: () => field, addEventListener: (_: string, f: typeof submit) => void (submit = f), reportValidity: () => {} };
  const live = { state: "open", on: () => () => {}, chat: { send, history: async () => ({ messages: [] }) } };
  const lobby = { live: async () => live } as unknown as Lobby;
  await roomChat(lobby, "r", {} as HTMLElement, form as unknown as HTMLFormElement);
  submit({ preventDefault: () => {} });
  await settle();
  return field;
}

test("the chat says that a message is not taken, and does not ask again", async () => {
  let sent = 0;
  const field = await chatting(async () => {
    if (++sent < 100) throw new RangeError("too much waits");
  });
  assert.deepEqual([sent, field.why, field.value], [1, "too much waits", "hi"]);
});

test("the chat sends a message again after a second when it was not answered", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let sent = 0;
  const field = await chatting(async () => {
    if (++sent % 100 !== 0) throw new CloseError("chat.send", closeInfo(1006));
  });
  assert.equal(sent, 1);
  sent = 99;
  t.mock.timers.tick(1000);
  await settle();
  assert.deepEqual([sent, field.why, field.value], [100, "", ""]);
});

/** Puts something in the place of a global until the test is over. */
function stub(t: TestContext, name: string, value: unknown): void {
  const was = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  t.after(() => {
    if (was) Object.defineProperty(globalThis, name, was);
    else delete (globalThis as Record<string, unknown>)[name];
  });
}

test("who watches comes back for as long as that may help", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(console, "log", () => {});
  const sockets: FakeSocket[] = [];
  const errors = t.mock.method(console, "error", () => {});
  const replies: [status: number, body: unknown][] = [];
  const spectate: [number, unknown] = [200, { room: "r", url: "wss://n/v1/match/r", token: "t" }];
  let asked = 0;
  stub(t, "location", { origin: "https://play.example" });
  stub(t, "requestAnimationFrame", () => 0);
  stub(t, "WebSocket", class extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  });
  stub(t, "fetch", async (input: string, init: RequestInit) => {
    const route = `${init.method} ${input.replace("https://play.example/v1/", "")}`;
    if (route === "POST guests") return Response.json({ token: "g", player: "walter", expires_at: "2030-01-01T00:00:00Z" }, { status: 201 });
    if (route.startsWith("GET rooms")) return Response.json({ rooms: [{ id: "r" }] });
    assert.equal(route, "POST rooms/r/spectate");
    asked++;
    const [status, body] = replies.shift()!;
    return Response.json(body, { status });
  });
  const welcomed = async () => {
    sockets.at(-1)!.open();
    sockets.at(-1)!.say(welcome({ seat: 0, resume: "" }));
    t.mock.timers.tick(0);
    await settle();
  };
  replies.push(spectate);
  const running = import("../examples/watch.js");
  await settle();
  for (let n = 0; n < 100 && !sockets[0]; n++) await settle();
  await welcomed();
  await running;

  replies.push([503, {}], [503, {}], spectate);
  sockets[0]!.say(bye(4002));
  for (let s = 0; s < 60 && sockets.length < 2; s++) {
    t.mock.timers.tick(1000);
    await settle();
  }
  assert.deepEqual([asked, sockets.length], [4, 2]);
  await welcomed();
  replies.push([503, {}], [404, { title: "Not Found" }]);
  sockets[1]!.end(1006);
  for (let s = 0; s < 60; s++) {
    t.mock.timers.tick(1000);
    await settle();
  }
  assert.deepEqual([asked, sockets.length, errors.mock.callCount()], [6, 2, 1], "404 is for good");
});
