// What is behind everything: stars in three depths, the arena's floor with its grid, and the walls.

import type { Camera } from "./camera.ts";
import { look, type Look } from "./look.ts";

const TILE = 640; // CSS pixels of a star tile's side
const SECTOR = 250; // units of a sector's side, named as on a chess board
const MINOR = 50;

/** The three depths: how much they move with the camera, how many stars a tile has, and how bright. */
const DEPTHS = [
  { moves: 0.06, stars: 110, size: 0.8, light: 0.4 },
  { moves: 0.14, stars: 46, size: 1.15, light: 0.65 },
  { moves: 0.28, stars: 14, size: 1.6, light: 0.9 },
];

const COARSE = 6; // CSS pixels for one of the backdrop's

/** In parts of the field. */
const CLOUDS = [
  { x: 0.12, y: 0.26, size: 1.15 },
  { x: 0.96, y: 0.76, size: 1.3 },
  { x: 0.76, y: 0.06, size: 0.76 },
];

export class Sky {
  #tiles: HTMLCanvasElement[] = [];
  #hatch: HTMLCanvasElement | undefined;
  #cloud: HTMLCanvasElement[] | undefined;
  readonly #backdrop = document.createElement("canvas");
  #ratio = 0;
  #look: Look | undefined;

  /** Draws the sky and the arena; still leaves out what moves at its own pace. */
  draw(ctx: CanvasRenderingContext2D, camera: Camera, ratio: number, still: boolean): void {
    this.#prepare(ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#clouds(ctx, camera, still);
    this.#stars(ctx, camera, ratio, still);
    camera.apply(ctx, ratio);
    this.#floor(ctx, camera);
    this.#walls(ctx, camera, ratio);
  }

  #prepare(ratio: number): void {
    if (ratio === this.#ratio && look() === this.#look) return;
    this.#ratio = ratio;
    this.#look = look();
    const random = dice(7);
    this.#tiles = DEPTHS.map((depth) => starTile(depth, ratio, random));
    this.#hatch = hatchTile(ratio);
    this.#cloud = this.#look.clouds.map(cloudSprite);
  }

  /**
   * The night and its faint clouds, farther away than all stars, so that no two places look the same. They are painted
   * small and drawn once at full size: a layer of this size is what a picture costs most.
   */
  #clouds(ctx: CanvasRenderingContext2D, camera: Camera, still: boolean): void {
    const width = Math.ceil(camera.width / COARSE);
    const height = Math.ceil(camera.height / COARSE);
    if (this.#backdrop.width !== width) this.#backdrop.width = width;
    if (this.#backdrop.height !== height) this.#backdrop.height = height;
    const small = this.#backdrop.getContext("2d", { alpha: false })!;
    small.fillStyle = look().sky;
    small.fillRect(0, 0, width, height);
    const scale = camera.scale / COARSE;
    CLOUDS.forEach((c, i) => {
      const all = Math.min(camera.size, 1600); // what a large field has between its walls is not one cloud
      const size = c.size * all * scale;
      const [cx, cy] = still ? [0.5, 0.5] : [camera.x / camera.size, camera.y / camera.size];
      const x = width / 2 + (c.x - cx) * all * scale * 0.5;
      const y = height / 2 + (c.y - cy) * all * scale * 0.5;
      small.drawImage(this.#cloud![i]!, x - size / 2, y - size / 2, size, size);
    });
    ctx.drawImage(this.#backdrop, 0, 0, width * COARSE, height * COARSE);
  }

  #stars(ctx: CanvasRenderingContext2D, camera: Camera, ratio: number, still: boolean): void {
    DEPTHS.forEach((depth, i) => {
      const moves = still ? 0 : depth.moves * camera.scale;
      const x = -((((camera.x * moves) % TILE) + TILE) % TILE);
      const y = -((((camera.y * moves) % TILE) + TILE) % TILE);
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      for (let left = x; left < camera.width; left += TILE) {
        for (let top = y; top < camera.height; top += TILE) {
          ctx.drawImage(this.#tiles[i]!, Math.round(left * ratio), Math.round(top * ratio));
        }
      }
    });
  }

  #floor(ctx: CanvasRenderingContext2D, camera: Camera): void {
    const { floor, minor, major, sector } = look();
    ctx.fillStyle = floor;
    ctx.fillRect(0, 0, camera.size, camera.size);
    lines(ctx, camera, MINOR, minor);
    lines(ctx, camera, SECTOR, major);
    ctx.fillStyle = sector;
    ctx.font = `700 15px "Barlow Condensed", "Arial Narrow", sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    const { from, to } = seen(camera.x, camera.halfWidth, SECTOR, camera.size);
    const { from: top, to: bottom } = seen(camera.y, camera.halfHeight, SECTOR, camera.size);
    for (let x = from; x < to; x += SECTOR) {
      for (let y = top; y < bottom; y += SECTOR) ctx.fillText(sectorName(x, y), x + 8, y + 8);
    }
  }

  /** The walls: a bright edge with a hatched band outside, so that the end of the world looks solid. */
  #walls(ctx: CanvasRenderingContext2D, camera: Camera, ratio: number): void {
    const { size } = camera;
    const band = 26;
    const pattern = ctx.createPattern(this.#hatch!, "repeat");
    if (pattern) {
      pattern.setTransform(new DOMMatrix().scale(1 / (camera.scale * ratio)));
      ctx.fillStyle = pattern;
      ctx.beginPath();
      ctx.rect(-band, -band, size + 2 * band, size + 2 * band);
      ctx.rect(0, 0, size, size);
      ctx.fill("evenodd");
    }
    ctx.lineJoin = "miter";
    ctx.strokeStyle = look().wallGlow;
    ctx.lineWidth = 9;
    ctx.strokeRect(-1, -1, size + 2, size + 2);
    ctx.strokeStyle = look().wall;
    ctx.lineWidth = 1.8;
    ctx.strokeRect(-1, -1, size + 2, size + 2);
  }
}

/** The multiples of a gap around what an axis of the window shows, within the field. */
function seen(middle: number, half: number, gap: number, size: number): { from: number; to: number } {
  return { from: Math.max(0, Math.floor((middle - half) / gap) * gap), to: Math.min(size, middle + half + gap) };
}

/** What players call a place: a letter and a number, as on a chess board. */
function sectorName(x: number, y: number): string {
  return `${String.fromCharCode(65 + (Math.floor(x / SECTOR) % 26))}${Math.floor(y / SECTOR) + 1}`;
}

function lines(ctx: CanvasRenderingContext2D, camera: Camera, gap: number, style: string): void {
  const { size } = camera;
  ctx.strokeStyle = style;
  ctx.lineWidth = 1 / camera.scale;
  ctx.beginPath();
  const { from, to } = seen(camera.x, camera.halfWidth, gap, size);
  const { from: top, to: bottom } = seen(camera.y, camera.halfHeight, gap, size);
  for (let x = Math.max(gap, from); x < to; x += gap) {
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
  }
  for (let y = Math.max(gap, top); y < bottom; y += gap) {
    ctx.moveTo(from, y);
    ctx.lineTo(to, y);
  }
  ctx.stroke();
}

function canvas(size: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  return [tile, tile.getContext("2d")!];
}

function cloudSprite(tint: string): HTMLCanvasElement {
  const [tile, ctx] = canvas(256);
  const clear = tint.replace(/[\d.]+\)$/, "0)");
  const light = ctx.createRadialGradient(128, 128, 0, 128, 128, 128);
  light.addColorStop(0, tint);
  light.addColorStop(0.5, tint.replace(/[\d.]+\)$/, (a) => `${parseFloat(a) * 0.4})`));
  light.addColorStop(1, clear);
  ctx.fillStyle = light;
  ctx.fillRect(0, 0, 256, 256);
  return tile;
}

function starTile(depth: (typeof DEPTHS)[number], ratio: number, random: () => number): HTMLCanvasElement {
  const [tile, ctx] = canvas(Math.round(TILE * ratio));
  ctx.scale(ratio, ratio);
  const { stars, starlight } = look();
  for (let i = 0; i < depth.stars; i++) {
    const warm = random();
    ctx.fillStyle = stars[warm < 0.15 ? 0 : warm < 0.4 ? 1 : 2];
    ctx.globalAlpha = starlight * depth.light * (0.35 + 0.65 * random());
    ctx.beginPath();
    ctx.arc(4 + random() * (TILE - 8), 4 + random() * (TILE - 8), depth.size * (0.5 + 0.6 * random()), 0, 7);
    ctx.fill();
  }
  return tile;
}

function hatchTile(ratio: number): HTMLCanvasElement {
  const size = Math.round(12 * ratio);
  const [tile, ctx] = canvas(size);
  ctx.strokeStyle = look().hatch;
  ctx.lineWidth = 1.2 * ratio;
  ctx.beginPath();
  for (const shift of [-size, 0, size]) {
    ctx.moveTo(shift - 1, size + 1);
    ctx.lineTo(shift + size + 1, -1);
  }
  ctx.stroke();
  return tile;
}

/** Numbers from 0 to 1, the same ones each time: the sky does not change between visits. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
