// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const shortened = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A count in full: 12,345. */
export const count = (n: number): string => whole.format(n);

/** A count that may be long, in few characters: 12.3K. */
export const brief = (n: number): string => (n < 10_000 ? whole.format(n) : shortened.format(n));

/** Bytes, in the unit that leaves up to three digits before the point. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (n >= 999.5 && at < units.length - 1) {
    n /= 1000;
    at++;
  }
  return `${at === 0 || n >= 99.5 ? Math.round(n) : n.toFixed(n < 9.95 ? 1 : 0)} ${units[at]}`;
}

/** Microseconds. */
export function micros(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${(us / 1000).toFixed(us < 9950 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(1)} s`;
}

/** Milliseconds that somebody waited. */
export function waited(ms: number): string {
  if (ms < 950) return `${Math.round(ms)} ms`;
  if (ms < 59_500) return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Thousandths as a share in percent. */
export const share = (thousandths: number): string => `${(thousandths / 10).toFixed(thousandths < 100 ? 1 : 0)} %`;

/** MiB. */
export const memory = (mib: number): string => (mib < 1024 ? `${whole.format(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`);

/** A time of day, of seconds since 1970. */
export function clock(seconds: number): string {
  const d = new Date(seconds * 1000);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

/** How long ago something was, in seconds. */
export function ago(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** The beginning of a random id, which tells it from others; names are cut where they are long. */
export function shortly(id: string): string {
  if (/^[a-z0-9]{26}$/.test(id)) return `${id.slice(0, 8)}…`;
  return id.length > 28 ? `${id.slice(0, 26)}…` : id;
}
