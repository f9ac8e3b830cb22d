/** Where something is and how it is turned. Angles are in radians and wrap around. */
export interface Pose {
  x: number;
  y: number;
  angle: number;
}

const FULL_TURN = 2 * Math.PI;

/** The way from one angle to another, the short way round: -π to π. */
export function turn(from: number, to: number): number {
  const off = (to - from) % FULL_TURN;
  if (off > Math.PI) return off - FULL_TURN;
  return off < -Math.PI ? off + FULL_TURN : off;
}
