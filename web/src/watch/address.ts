// What an address of the page asks for, and the addresses that it hands out.

export type Wish =
  | { kind: "list" }
  | { kind: "room"; id: string }
  | { kind: "match"; id: string; as: string }
  | { kind: "session"; id: string; key: string }; // who has the key controls it; "" for who only looks

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const VIEW = /^(public|everything|seat:[1-9][0-9]{0,3})$/;

/** Reads the query and the fragment of an address. What is no id asks for the list. */
export function wish(query: string, fragment = ""): Wish {
  const q = new URLSearchParams(query);
  const id = (name: string) => {
    const text = q.get(name) ?? "";
    return ID.test(text) ? text : "";
  };
  const as = q.get("as") ?? "";
  if (id("session")) return { kind: "session", id: id("session"), key: key(fragment) };
  if (id("match")) return { kind: "match", id: id("match"), as: VIEW.test(as) ? as : "" };
  if (id("room")) return { kind: "room", id: id("room") };
  return { kind: "list" };
}

function key(fragment: string): string {
  const text = new URLSearchParams(fragment.replace(/^#/, "")).get("key") ?? "";
  return /^[a-z0-9]{1,64}$/.test(text) ? text : "";
}

/** The path of what is wanted. The key of a session is in the fragment, which no server hears. */
export function path(w: Wish): string {
  switch (w.kind) {
    case "list":
      return "/watch";
    case "room":
      return `/watch?room=${w.id}`;
    case "match":
      return `/watch?match=${w.id}${w.as ? `&as=${encodeURIComponent(w.as)}` : ""}`;
    case "session":
      return `/watch?session=${w.id}${w.key ? `#key=${w.key}` : ""}`;
  }
}
