// Starts the browser for the scripts beside this file.

import { mkdtemp, rm } from "node:fs/promises";
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
    if (m.type() === "error" || m.type() === "warning") list.push(`${name}: console ${m.type()}: ${m.text()}`);
  });
  page.on("requestfailed", (r) => {
    const why = r.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") list.push(`${name}: ${r.method()} ${r.url()}: ${why}`);
  });
  return list;
}
