// The state, inputs and events of games/arena as clients see them, and the numbers of its rules that a picture or a
// prediction needs. games/arena is where they are decided.

export interface Ship {
  X: number;
  Y: number;
  Angle: number; // where the nose points; 0 is right, growing turns clockwise
  Owner: number; // a seat
  Name: string;
  HP: number; // 0 while destroyed
  Score: number;
  Deaths: number;
  Thrust: boolean;
  Shield: boolean;
  Away: boolean; // the player's connection is lost
  Spawn: number; // the tick at which a destroyed ship comes back
  Heat?: number; // the last two are for the owner only; others do not get them
  Jammed?: boolean;
}

export interface Bullet {
  X: number;
  Y: number;
  Owner: number;
}

export interface Round {
  Phase: number;
  Ends: number; // a tick
  Winner: number; // a seat, 0 when it is a draw
}

export interface World {
  Ships: Ship;
  Bullets: Bullet;
  Round: Round;
}

export interface Input {
  Turn: number; // -FULL … FULL
  Thrust: number;
  Fire: boolean;
}

export const Phase = { Waiting: 0, Playing: 1, Podium: 2 } as const;

export const QUEUE = "arena";
export const SIZE = 1000; // of the square arena's side
export const RADIUS = 12; // of a ship
export const FULL = 127; // a control that is pushed all the way
export const MAX_HP = 100;
export const JAM_END = 40; // a jammed gun fires again when it is this cool
export const RESPAWN = 2; // seconds
export const MAX_NAME = 24; // bytes

export const TURN_RATE = 4; // radians a second
export const THRUST = 340; // units a second²; half as much backwards
export const DRAG = 1.1; // part of the speed that is lost in a second
export const MAX_SPEED = 220;
export const WALL_BOUNCE = 0.6;
export const BULLET_SPEED = 500;
