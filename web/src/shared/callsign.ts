// Names for pilots who do not bring one.

const FIRST = [
  "Amber", "Brisk", "Calm", "Copper", "Dapper", "Distant", "Early", "Gentle", "Golden", "Hasty", "Idle", "Kindly", "Lively",
  "Lucky", "Mellow", "Merry", "Midnight", "Nimble", "Northern", "Patient", "Quiet", "Rapid", "Silver", "Steady", "Sunny",
  "Tidal", "Velvet", "Wandering", "Wild", "Winter",
];
const SECOND = [
  "Albatross", "Badger", "Comet", "Condor", "Cricket", "Falcon", "Ferret", "Finch", "Gecko", "Heron", "Jackdaw", "Kestrel",
  "Lantern", "Lynx", "Marten", "Meteor", "Otter", "Petrel", "Plover", "Puffin", "Quasar", "Raven", "Robin", "Sparrow",
  "Starling", "Swift", "Tern", "Vole", "Wren",
];

/** Makes up a callsign. */
export function callsign(random: () => number = Math.random): string {
  const pick = (list: string[]) => list[Math.floor(random() * list.length)]!;
  return `${pick(FIRST)} ${pick(SECOND)}`;
}

/** Makes a typed name fit: no space around it, one within, and no more bytes than a ship's name holds. */
export function tidy(name: string, bytes: number): string {
  let fit = "";
  let used = 0;
  for (const char of name.trim().replace(/\s+/gu, " ")) {
    used += new TextEncoder().encode(char).length;
    if (used > bytes) break;
    fit += char;
  }
  return fit.trim();
}
