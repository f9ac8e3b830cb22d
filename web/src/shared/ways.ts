// What the address of a game's page asks for: a way into a match, and whether at once.

import { isCode, tidyCode } from "./code.ts";
import type { CommonWay } from "./form.ts";

/** Reads go or way, bots and code. bots says how many a text asks for; other knows a way that the game alone has. */
export function asked<Other = never>(
  q: URLSearchParams, bots: (text: string | null) => number, other: (kind: string) => Other | undefined = () => undefined,
): { way: CommonWay | Other | undefined; go: boolean } {
  const code = tidyCode(q.get("code") ?? "");
  const go = q.get("go");
  const kind = go || q.get("way") || "";
  const way = isCode(code) ? { kind: "friends" as const, code } : (common(kind, () => bots(q.get("bots"))) ?? other(kind));
  return { way, go: go !== null && way !== undefined };
}

function common(kind: string, bots: () => number): CommonWay | undefined {
  switch (kind) {
    case "players":
      return { kind };
    case "bots":
      return { kind, bots: bots() };
    case "friends":
      return { kind, code: "" };
    default:
      return undefined;
  }
}

/** An address with the same wishes, but for beginning at once: who comes back by it wants to choose. */
export function withoutGo(address: string): string {
  const url = new URL(address);
  const go = url.searchParams.get("go");
  url.searchParams.delete("go");
  if (go) url.searchParams.set("way", go);
  return url.href;
}
