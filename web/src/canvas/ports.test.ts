import assert from "node:assert/strict";
import { test } from "node:test";

import { CanvasModel } from "./model.ts";
import { FakeServer } from "./model_fake.ts";
import { writingPort } from "./ports.ts";

test("what is selected is where its characters are, and not known where the room has forgotten them", () => {
  const server = new FakeServer();
  const [a, b] = [server.join(), server.join()].map((client) => ({ client, model: new CanvasModel(client.link, () => 0) })) as [
    { client: ReturnType<FakeServer["join"]>; model: CanvasModel }, { client: ReturnType<FakeServer["join"]>; model: CanvasModel },
  ];
  const settle = () => {
    for (const { client, model } of [a, b, a, b]) {
      while (server.take(client)) continue;
      server.frame(client);
      while (client.receive()) model.frame();
    }
  };
  settle();
  const [port, other] = [writingPort(a.model, () => {}), writingPort(b.model, () => {})];
  assert.equal(port.selection, undefined); // nothing is selected
  port.edit(0, 0, "one two");
  settle();
  port.select(3, 7);
  other.edit(0, 0, "> ");
  settle();
  assert.deepEqual(port.selection, { anchor: 5, focus: 9 });
  other.edit(5, 9, "");
  settle();
  assert.deepEqual(port.selection, { anchor: 5, focus: 5 });
  server.forget();
  settle();
  assert.equal(port.text, "> one");
  assert.equal(port.selection, undefined);
  port.select(5, 5);
  assert.deepEqual(port.selection, { anchor: 5, focus: 5 });
});
