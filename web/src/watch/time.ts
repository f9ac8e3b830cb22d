// Ticks as people read them.

/** The speeds that can be chosen. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const;

/** A number of ticks as minutes and seconds, with tenths where they matter. */
export function minutes(ticks: number, rate: number, tenths = false): string {
  const all = Math.max(0, ticks) / rate;
  const whole = Math.floor(all + 1e-9);
  const text = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return tenths ? `${text}.${Math.floor((all - whole) * 10 + 1e-6)}` : text;
}

/** The next speed up or down from one, which may be none of them. */
export function nextSpeed(speed: number, up: boolean): number {
  const list = up ? SPEEDS : [...SPEEDS].reverse();
  return list.find((s) => (up ? s > speed : s < speed)) ?? list.at(-1)!;
}

/** How long ago something was, roughly. */
export function ago(then: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(then)) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 90) return "just now";
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

/** Why nothing is shown yet, and for how long, in milliseconds: a server that took the match over begins the delay anew. */
export function soon(ms: number, again: boolean): string {
  const seconds = Math.ceil(ms / 1000);
  const when = !(seconds > 0) ? "in a moment" : seconds < 120 ? `in ${seconds} s` : `in ${Math.ceil(seconds / 60)} min`;
  if (!again) return `The match is shown ${when} …`;
  return `${seconds > 0 ? "The match goes on at another server. " : ""}The broadcast continues ${when} …`;
}
