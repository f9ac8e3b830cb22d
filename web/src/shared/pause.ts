// Waiting that can be given up.

/** Waits. It ends early with skip, and throws with signal. */
export function pause(ms: number, signal: AbortSignal, skip?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      if (signal.aborted) reject(new DOMException("stopped", "AbortError"));
      else resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    skip?.addEventListener("abort", done);
  });
}
