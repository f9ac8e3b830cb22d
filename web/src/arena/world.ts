// The numbers of games/arena's rules that a picture or a prediction needs, decided there. The types of its state are
// printed: see types.ts. Angles are 0 to the right and grow clockwise; Ends and Spawn are ticks, HP 0 is destroyed.

export type { Blip, Bullet, Events, Field, Input, Leader, Round, Ship, State as World } from "./types.ts";

export const QUEUE = "arena";
export const CROWD = "crowd"; // the game, and its queue; its types are the arena's
export const MOST_BOTS = 15; // a room of the arena may be created with {"bots": N}
export const FIRST_BOT = 256; // the first seat of ships that the rules fly; players' are below
export const SIZE = 1000; // of the square arena's side; Field.Size says it of a match
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
