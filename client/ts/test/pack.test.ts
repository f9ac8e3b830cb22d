// The package as npm makes it: what is in it, and that it can be installed, imported and compiled against.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "muster-pack-"));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, { types: string; default: string }>; sideEffects: boolean; dependencies?: object; peerDependencies?: object;
};
const entries = Object.keys(manifest.exports).map((name) => name.replace(/^\./, "@muster/client"));
const MOST = 500 << 10; // bytes of the tarball

let pack: { filename: string; size: number; files: { path: string }[] };

function run(command: string, args: string[], cwd = home): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

before(() => {
  const out = run("npm", ["pack", "--json", "--silent", "--pack-destination", home], root);
  [pack] = JSON.parse(out.slice(out.indexOf("["))) as [typeof pack];
  writeFileSync(join(home, "package.json"), JSON.stringify({ name: "game", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", join(home, pack.filename)]);
});

after(() => rmSync(home, { recursive: true, force: true }));

test("the package holds what its exports name, with types, maps and the sources that they lead to, and little else", () => {
  const paths = new Set(pack.files.map((f) => f.path));
  for (const { types, default: script } of Object.values(manifest.exports)) {
    for (const path of [types, `${types}.map`, script, `${script}.map`]) assert.ok(paths.has(normalize(path)), `${path} is missing`);
  }
  for (const path of paths) {
    assert.match(path, /^(dist\/.*\.(js|d\.ts)(\.map)?|src\/.*\.ts|package\.json|README\.md|LICENSE)$/);
    if (!path.endsWith(".map")) continue;
    const map = JSON.parse(readFileSync(join(home, "node_modules/@muster/client", path), "utf8")) as { sources: string[] };
    for (const source of map.sources) assert.ok(paths.has(normalize(join(dirname(path), source))), `${path} leads to ${source}`);
  }
  for (const path of ["README.md", "LICENSE"]) assert.ok(paths.has(path), `${path} is missing`);
  assert.ok(pack.size <= MOST, `${pack.size} bytes`);
});

test("it depends on nothing, and says that it has no side effects", () => {
  assert.deepEqual([manifest.sideEffects, manifest.dependencies, manifest.peerDependencies], [false, undefined, undefined]);
  assert.ok(!existsSync(join(home, "node_modules/@types")));
});

test("importing it needs no global of a browser or of Node but a text decoder, and changes none", () => {
  const script = `
    const gone = ["WebSocket", "fetch", "performance", "setTimeout", "setInterval", "queueMicrotask", "crypto", "navigator",
      "URL", "AbortController", "EventTarget", "Event", "Buffer"];
    const kept = new Map(gone.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
    const names = () => Reflect.ownKeys(globalThis).map(String).sort().join();
    for (const name of gone) if (!["queueMicrotask", "URL"].includes(name)) delete globalThis[name]; // which Node's loader needs
    const before = names();
    const found = {};
    for (const entry of ${JSON.stringify(entries)}) found[entry] = Object.keys(await import(entry));
    const same = names() === before;
    for (const [name, d] of kept) if (d) Object.defineProperty(globalThis, name, d);
    console.log(JSON.stringify({ found, same }));`;
  const { found, same } = JSON.parse(run("node", ["--input-type=module", "-e", script])) as { found: Record<string, string[]>; same: boolean };
  assert.ok(same, "a global came or went");
  assert.deepEqual(Object.keys(found), entries);
  for (const name of ["Lobby", "Match"]) assert.ok(found["@muster/client"]!.includes(name), name);
  for (const name of ["Overlay", "Simulator", "simulate"]) assert.ok(found["@muster/client/overlay"]!.includes(name), name);
});

const PROGRAM = `
import { CloseError, Lobby, Match, type MatchSeat } from "@muster/client";
import { Overlay, Simulator } from "@muster/client/overlay";
import { Decoder, Schema } from "@muster/client/wire";

interface State { Ships: { X: number; Y: number; Owner: number } }
interface Input { Turn: number }

export async function play(lobby: Lobby): Promise<Overlay> {
  const seat: MatchSeat = await lobby.play("arena");
  const sim = new Simulator({ latencyMs: 50 });
  const match = await Match.connect<State, Input>(seat, { webSocket: sim.sockets() });
  match.onAdd("Ships", (id: number, ship) => console.log(id, ship.X));
  match.send({ Turn: 1 });
  // @ts-expect-error a table that the state does not have
  match.onAdd("Boats", () => {});
  // @ts-expect-error an input of another type
  match.send({ Turn: "left" });
  return new Overlay(match, { sim });
}
export const decoder = (bytes: Uint8Array): Decoder => new Decoder(Schema.parse(bytes));
export const closed = (e: unknown): boolean => e instanceof CloseError;
`;

for (const [resolution, module] of [["node16", "node16"], ["bundler", "esnext"]] as const) {
  test(`a program compiles against it with the module resolution ${resolution}`, () => {
    writeFileSync(join(home, "game.ts"), PROGRAM);
    const options = {
      target: "es2022", module, moduleResolution: resolution, lib: ["es2022", "dom"], types: [], strict: true, noEmit: true,
      exactOptionalPropertyTypes: true, skipLibCheck: false,
    };
    writeFileSync(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["game.ts"] }));
    try {
      run(join(root, "node_modules/.bin/tsc"), ["-p", "."]);
    } catch (e) {
      assert.fail((e as { stdout: string }).stdout);
    }
  });
}
