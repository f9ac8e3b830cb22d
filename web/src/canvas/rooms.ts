// Names of rooms: those that an address has, and fresh ones that can be read aloud.

const FIRST = [
  "amber", "autumn", "bold", "brave", "bright", "calm", "clear", "cosy", "early", "fair", "gentle", "golden", "grand", "green",
  "happy", "kind", "late", "light", "lively", "lucky", "mellow", "merry", "misty", "proud", "quick", "quiet", "rosy", "silver",
  "still", "sunny", "swift", "velvet", "warm", "wild", "winter", "wise",
];
const SECOND = [
  "badger", "beech", "brook", "cedar", "cloud", "comet", "crane", "dune", "elm", "falcon", "fern", "finch", "fjord", "garden",
  "harbour", "heron", "hill", "island", "lake", "lantern", "maple", "meadow", "moon", "otter", "owl", "pine", "plover", "pond",
  "raven", "reed", "river", "robin", "stone", "swan", "valley", "willow",
];
const MOST = 31; // characters of a name

/** Makes a name up. There are enough of them that nobody comes into another's room by chance; they are no secret. */
export function freshName(random: () => number = Math.random): string {
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)]!;
  const number = 100 + Math.floor(random() * 9900);
  return `${pick(FIRST)}-${pick(SECOND)}-${number}`;
}

/** The room that an address names, as names of rooms are written; undefined where there is none. */
export function roomOf(query: string): string | undefined {
  const asked = new URLSearchParams(query).get("room") ?? "";
  const plain = asked.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const name = plain.replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+/, "").slice(0, MOST).replace(/-+$/, "");
  return name || undefined;
}

/** An address with a room's name in it, and nothing else changed. */
export function addressOf(address: string, room: string): string {
  const url = new URL(address);
  url.searchParams.set("room", room);
  return url.href;
}
