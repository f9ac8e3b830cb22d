import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera, LEAST_SCALE, meet, MOST_SCALE, union } from "./camera.ts";

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a place of the screen is one of the world and back", () => {
  const c = new Camera();
  c.pan(13, -4);
  c.zoom(2.5, { x: 100, y: 50 });
  const { x, y } = c.toScreen(c.toWorld({ x: 33, y: 44 }));
  near(x, 33);
  near(y, 44);
});

test("zooming leaves what is under the pointer where it is, up to the bounds", () => {
  const c = new Camera();
  const before = c.toWorld({ x: 70, y: 20 });
  for (const by of [1.3, 0.2, 1000, 1e-9]) {
    c.zoom(by, { x: 70, y: 20 });
    const { x, y } = c.toWorld({ x: 70, y: 20 });
    near(x, before.x);
    near(y, before.y);
    assert.ok(c.scale >= LEAST_SCALE && c.scale <= MOST_SCALE);
  }
});

test("fitting shows a whole box in the middle, and never larger than it is drawn", () => {
  const c = new Camera();
  c.fit({ left: 1000, top: 1000, right: 3000, bottom: 1100 }, 500, 400);
  const view = c.view(500, 400);
  near(view.left, 1000);
  near(view.right, 3000);
  near((view.top + view.bottom) / 2, 1050);
  c.fit({ left: 0, top: 0, right: 100, bottom: 100 }, 500, 400, { left: 100, top: 50, right: 500, bottom: 250 });
  assert.deepEqual(c.toScreen({ x: 50, y: 50 }), { x: 300, y: 150 });
  c.fit({ left: 0, top: 0, right: 10, bottom: 10 }, 500, 400);
  assert.equal(c.scale, 1);
});

test("nobody gets lost: the middle of the screen stays in the world", () => {
  const c = new Camera();
  c.pan(1e6, -1e6);
  c.keep({ left: 0, top: 0, right: 100, bottom: 100 }, 50, 50);
  assert.deepEqual(c.toWorld({ x: 25, y: 25 }), { x: 0, y: 100 });
});

test("boxes that touch meet", () => {
  const a = { left: 0, top: 0, right: 1, bottom: 1 };
  assert.ok(meet(a, { left: 1, top: 1, right: 2, bottom: 2 }));
  assert.ok(!meet(a, { left: 1.1, top: 0, right: 2, bottom: 2 }));
  assert.deepEqual(union(a, { left: -1, top: 0.5, right: 0, bottom: 3 }), { left: -1, top: 0, right: 1, bottom: 3 });
});
