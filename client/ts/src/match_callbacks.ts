import type { Value } from "./field.js";

/** What a game's events carry where the caller gave no types of them. */
export type AnyEvents = Record<string, Record<string, Value>>;

/** What is known of an event besides its fields. */
export interface EventInfo<Ev = AnyEvents> {
  /** In which it happened. */
  readonly tick: number;
  /** Counts this seat's events without gaps; 0 where it is predicted. */
  readonly number: number;
  /** The event's type, as the schema names it. */
  readonly name: keyof Ev & string;
  /** Told by the own prediction. The server's is not told again; see Match.onUnconfirmed. */
  readonly predicted: boolean;
}

/** Undoes what returned it. More than once does nothing more. */
export type Undo = () => void;

/** Hears of a row that came. */
export type OnAdd<R> = (id: number, row: R) => void;
/** Hears of a row that differs from what it was. */
export type OnChange<R> = (id: number, row: R, before: R) => void;
/** Hears of a field of a row that differs from what it was. */
export type OnField<V> = (id: number, value: V, before: V) => void;
/** Hears of a row that went, with what it was. */
export type OnRemove<R> = (id: number, before: R) => void;
/** Hears of an event of the game. */
export type OnEvent<F, Ev = AnyEvents> = (fields: F, event: EventInfo<Ev>) => void;

/** Calls the program. Its errors are its own: they must not end a message halfway, and must not be lost. */
export function callOut(f: () => void): void {
  try {
    f();
  } catch (e) {
    queueMicrotask(() => {
      throw e;
    });
  }
}

/** Functions by what they hear of, called in the order in which they were added. */
export class Callbacks {
  readonly #call: (f: () => void) => void;
  readonly #lists = new Map<string, Set<{ f: (...args: never[]) => void }>>();

  /** call makes each call. */
  constructor(call = callOut) {
    this.#call = call;
  }

  add(what: string, f: (...args: never[]) => void): Undo {
    const one = { f }; // so that a function that is added twice is called twice, and removed once
    let list = this.#lists.get(what);
    if (!list) this.#lists.set(what, (list = new Set()));
    list.add(one);
    return () => void list.delete(one);
  }

  /** Calls those that hear of it now. One that is removed meanwhile is not called any more, one that is added is not yet. */
  tell(what: string, ...args: unknown[]): void {
    const list = this.#lists.get(what);
    for (const one of [...(list ?? [])]) if (list!.has(one)) this.#call(() => one.f(...(args as never[])));
  }
}
