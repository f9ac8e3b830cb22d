/** Calls a function once after a time in milliseconds; what is returned cancels that. */
export type Schedule = (call: () => void, ms: number) => () => void;

export const systemSchedule: Schedule = (call, ms) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};
