// Fails when docs/api/ts is not what the sources give; typedoc itself fails for what is exported and not documented.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const kept = fileURLToPath(new URL("../../../docs/api/ts", import.meta.url));
const made = mkdtempSync(join(tmpdir(), "muster-api-"));
try {
  execFileSync("npx", ["typedoc", "--options", "typedoc.json", "--out", made], { cwd: here, stdio: ["ignore", "ignore", "inherit"] });
  const [want, have] = [read(made), read(kept)];
  const wrong = [...new Set([...want.keys(), ...have.keys()])].filter((name) => want.get(name) !== have.get(name)).sort();
  if (wrong.length > 0) {
    console.error(`docs/api/ts is stale: ${wrong.join(", ")}; make api-docs makes it anew`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(made, { recursive: true, force: true });
}

/** The files of a directory by name. */
function read(directory) {
  try {
    return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), "utf8")]));
  } catch {
    return new Map();
  }
}
