// Starts the browser for the scripts beside this file.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
  // A page that another one covers goes on drawing, as two windows beside each other do.
  "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
];

/** Runs a function with a browser of its own, with a profile that is gone afterwards. */
export async function withBrowser(run) {
  const profile = await mkdtemp(join(tmpdir(), "muster-browser-"));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: [...ARGS, `--crash-dumps-dir=${profile}`],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  try {
    return await run(browser);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Collects what a page complains about: errors of scripts, of the console, of requests. */
export function complaints(page, name) {
  const list = [];
  page.on("pageerror", (e) => list.push(`${name}: uncaught ${e.stack ?? e}`));
  page.on("console", (m) => {
    // That a busy server cannot take a match now is no fault of the page, which asks again.
    if (m.type() === "error" && m.text().includes("status of 503") && m.location().url.includes("/v1/")) return;
    if (m.type() === "error" || m.type() === "warning") list.push(`${name}: console ${m.type()}: ${m.text()}`);
  });
  page.on("requestfailed", (r) => {
    const why = r.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") list.push(`${name}: ${r.method()} ${r.url()}: ${why}`);
  });
  return list;
}

/** Fails where axe finds that a page is not accessible to all. */
export async function accessible(page, name) {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source); // by the debugger: the page's policy would not let it in
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const list = violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.flat().join(" ")).join("; ")}`);
  assert.deepEqual(list, [], `${name}: not accessible`);
}
