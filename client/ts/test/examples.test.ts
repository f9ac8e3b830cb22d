// What the examples do when something fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CloseError, type Lobby } from "../src/index.js";
import { closeInfo } from "../src/close.js";
import { roomChat } from "../examples/chat.js";

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
