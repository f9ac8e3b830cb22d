// The page of those who watch, for the scripts beside this file.

import { PATIENCE } from "./page.mjs";

/** Waits for something on a page that watches; what is told where it does not come about. */
export async function until({ name, page, complaints }, what, condition, arg, timeout = PATIENCE) {
  await page.waitForFunction(condition, arg, { timeout }).catch(async (error) => {
    const { screen, tick, replay } = await page.evaluate(() => window.muster ?? {});
    const said = await page.locator("#message-title, #message-text, #link, #toast, #file-says, #rooms-say").allInnerTexts();
    throw new Error(`${name}: not ${what}: ${error.message.split("\n")[0]} Screen "${screen}", tick ${tick}, replay ${JSON.stringify(replay)}: ${[...said, ...complaints].filter(Boolean).join("; ")}`);
  });
}
