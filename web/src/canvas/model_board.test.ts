import assert from "node:assert/strict";
import { test } from "node:test";

import { CanvasModel } from "./model.ts";
import { type Line } from "./model_board.ts";
import { type FakeClient, FakeServer } from "./model_fake.ts";

interface Drawer {
  client: FakeClient;
  model: CanvasModel;
  told: string[];
}

/** A clock by which a second passes between any two looks at it. */
function clock(): () => number {
  let now = 0;
  return () => (now += 1000);
}

function room(people: number): { server: FakeServer; drawers: Drawer[] } {
  const server = new FakeServer();
  const drawers = Array.from({ length: people }, () => {
    const client = server.join();
    const told: string[] = [];
    const model = new CanvasModel(client.link, clock());
    model.board.onChange = (what, line) => told.push(`${what} ${line.key} ${line.points.length}`);
    return { client, model, told };
  });
  settle(server, drawers);
  return { server, drawers };
}

function settle(server: FakeServer, drawers: Drawer[]): void {
  for (let i = 0; i < 3; i++) {
    for (const { client } of drawers) while (server.take(client)) continue;
    for (const { client, model } of drawers) {
      server.frame(client);
      while (client.receive()) model.frame();
    }
  }
}

const lines = ({ model }: Drawer) => model.board.lines.map((l) => `${l.key} ${l.points.map(({ x, y }) => `${x},${y}`).join(" ")}`);

test("a line shows at once to who draws it, and bit by bit to others", () => {
  const { server, drawers: [a, b] } = room(2) as { server: FakeServer; drawers: [Drawer, Drawer] };
  const line = a.model.board.begin({ x: 10, y: 20 }, 3, 8)!;
  a.model.board.extend(line, [{ x: 11.4, y: 21 }, { x: 11, y: 21 }, { x: 9999, y: -5 }]);
  assert.deepEqual(lines(a), ["1:1 10,20 11,21 4096,0"]);
  settle(server, [a, b]);
  assert.deepEqual(lines(b), lines(a));
  a.model.board.extend(line, [{ x: 5, y: 5 }]);
  a.model.board.end(line);
  assert.deepEqual(lines(a), ["1:1 10,20 11,21 4096,0 5,5"]);
  settle(server, [a, b]);
  assert.deepEqual(lines(b), lines(a));
  assert.deepEqual(b.told, ["add 1:1 1", "extend 1:1 3", "extend 1:1 4"]);
  const [known] = b.model.board.lines as [Line];
  assert.deepEqual([known.colour, known.width, known.author], [3, 8, 1]);
});

test("lines are in one order for all, whoever's is seen first", () => {
  const { server, drawers: [a, b] } = room(2) as { server: FakeServer; drawers: [Drawer, Drawer] };
  for (const d of [b, a]) d.model.board.end(d.model.board.begin({ x: 1, y: 1 }, 0, 1)!);
  const [, ofA] = [lines(b), lines(a)];
  assert.deepEqual(ofA, ["1:1 1,1"]);
  settle(server, [a, b]);
  assert.deepEqual([lines(a), lines(b)], [["1:1 1,1", "2:1 1,1"], ["1:1 1,1", "2:1 1,1"]]);
  const next = a.model.board.begin({ x: 2, y: 2 }, 0, 1)!;
  assert.equal(next.n, 2);
  assert.ok(a.model.board.isTop(next) && !a.model.board.isTop(a.model.board.lines[0]!));
});

test("anybody erases, and who erased draws anew by undo; own lines go by undo and by clear", () => {
  const { server, drawers: [a, b] } = room(2) as { server: FakeServer; drawers: [Drawer, Drawer] };
  for (const x of [1, 2, 3]) a.model.board.end(a.model.board.begin({ x, y: 0 }, x, 1)!);
  settle(server, [a, b]);
  b.model.board.erase([b.model.board.lines[0]!]);
  assert.deepEqual(lines(b), ["1:2 2,0", "1:3 3,0"]); // at once
  settle(server, [a, b]);
  assert.deepEqual(lines(a), lines(b));
  assert.ok(b.model.board.undo());
  settle(server, [a, b]);
  assert.deepEqual(lines(a), ["1:2 2,0", "1:3 3,0", "2:4 1,0"]);
  assert.equal(a.model.board.lines[2]!.colour, 1);
  assert.ok(b.model.board.redo());
  assert.ok(!b.model.board.redo());
  assert.ok(a.model.board.undo()); // the third line
  settle(server, [a, b]);
  assert.deepEqual([lines(a), lines(b)], [["1:2 2,0"], ["1:2 2,0"]]);
  assert.ok(a.model.board.undo() && !a.model.board.canUndo); // the second; the first is gone
  assert.ok(a.model.board.redo() && a.model.board.redo());
  settle(server, [a, b]);
  assert.deepEqual(lines(b).map((l) => l.split(" ")[1]), ["2,0", "3,0"]);
  a.model.board.clear();
  settle(server, [a, b]);
  assert.deepEqual([lines(a), lines(b)], [[], []]);
  assert.ok(a.model.board.undo());
  settle(server, [a, b]);
  assert.equal(lines(b).length, 2);
});

test("a line that another erases while it is drawn is gone", () => {
  const { server, drawers: [a, b] } = room(2) as { server: FakeServer; drawers: [Drawer, Drawer] };
  const line = a.model.board.begin({ x: 1, y: 1 }, 0, 1)!;
  settle(server, [a, b]);
  b.model.board.erase(b.model.board.lines);
  settle(server, [a, b]);
  a.model.board.extend(line, [{ x: 2, y: 2 }]);
  a.model.board.end(line);
  settle(server, [a, b]);
  assert.deepEqual([lines(a), lines(b)], [[], []]);
});

test("a line that ends when the server has all of it is the server's from then on", () => {
  const { server, drawers: [a, b] } = room(2) as { server: FakeServer; drawers: [Drawer, Drawer] };
  const line = a.model.board.begin({ x: 1, y: 1 }, 0, 1)!;
  settle(server, [a, b]); // and the hand holds still
  a.model.board.end(line);
  settle(server, [a, b]);
  b.model.board.erase(b.model.board.lines);
  settle(server, [a, b]);
  assert.deepEqual([lines(a), lines(b)], [[], []]);
});

test("a long line goes in several commands", () => {
  const { server, drawers: [a, b] } = room(2) as { server: FakeServer; drawers: [Drawer, Drawer] };
  const line = a.model.board.begin({ x: 0, y: 0 }, 0, 1)!;
  a.model.board.extend(line, Array.from({ length: 3000 }, (_, i) => ({ x: i % 4000, y: (7 * i) % 3000 })));
  a.model.board.end(line);
  settle(server, [a, b]);
  assert.deepEqual(lines(b), lines(a));
  for (const { input } of a.client.sent) assert.ok(input.Text.length <= 3000);
});

test("the own cursor is sent when nothing else is on its way, the newest place alone", () => {
  const { server, drawers: [a] } = room(1) as { server: FakeServer; drawers: [Drawer] };
  for (const x of [1, 2, 3]) a.model.point(x, 0);
  settle(server, [a]);
  a.model.caret({ author: 0, n: 0 }, { author: 0, n: 0 });
  a.model.hide();
  settle(server, [a]);
  assert.deepEqual(a.client.sent.map(({ input }) => `${input.Op} ${input.X}`), ["Point 3", "Hide 0"]);
  assert.deepEqual(a.model.people().map((p) => [p.name, p.mine, p.author]), [["player 1", true, 1]]);
});
