// A room's state as a tree: tables, their rows, and what the rows have, nested fields below their common name. Pure.

import type { AdminRoomState } from "@muster/client";

/** A line of the tree. */
export interface Branch {
  /** What it is known by from one look to the next. */
  path: string;
  name: string;
  value: string;
  level: number;
  /** Below it; empty for a leaf. */
  children: Branch[];
}

/** A line as it is shown. */
export interface Line {
  branch: Branch;
  open: boolean;
  /** Its place among those of one parent, from 1, and how many these are. */
  place: number;
  of: number;
}

/** Makes the tree of a state. */
export function treeOf(state: AdminRoomState): Branch[] {
  return state.tables.map((t) => {
    const path = t.name;
    if (t.single) {
      const [row] = t.rows;
      return { path, name: t.name, value: row ? glance(row.fields) : "", level: 1, children: row ? fieldsOf(row.fields, path, 2) : [] };
    }
    const children = t.rows.map((r): Branch => {
      const own = `${path}/${r.id}`;
      return { path: own, name: `#${r.id}`, value: glance(r.fields), level: 2, children: fieldsOf(r.fields, own, 3) };
    });
    const left = t.count - t.rows.length;
    if (left > 0) children.push({ path: `${path}/…`, name: "…", value: `${left} more rows are not sent`, level: 2, children: [] });
    return { path, name: t.name, value: t.count === 1 ? "1 row" : `${t.count} rows`, level: 1, children };
  });
}

/** The fields of a row: Pos.X and Pos.Y are below Pos. */
function fieldsOf(fields: Record<string, unknown>, path: string, level: number): Branch[] {
  const list: Branch[] = [];
  const groups = new Map<string, Record<string, unknown>>();
  for (const [name, value] of Object.entries(fields)) {
    const dot = name.indexOf(".");
    if (dot < 1) {
      list.push({ path: `${path}/${name}`, name, value: show(value), level, children: [] });
      continue;
    }
    const head = name.slice(0, dot);
    let group = groups.get(head);
    if (!group) {
      groups.set(head, (group = {}));
      list.push({ path: `${path}/${head}.`, name: head, value: "", level, children: [] });
    }
    group[name.slice(dot + 1)] = value;
  }
  for (const b of list) {
    const group = b.path.endsWith(".") ? groups.get(b.name) : undefined;
    if (!group) continue;
    b.value = glance(group);
    b.children = fieldsOf(group, b.path, level + 1);
  }
  return list;
}

/** A value on one line. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const GLANCE = 72; // characters

/** The first fields of a row, in few words: texts before numbers, as they say what it is. */
function glance(fields: Record<string, unknown>): string {
  let text = "";
  const isText = ([, value]: [string, unknown]) => typeof value === "string" && value !== "";
  const all = Object.entries(fields);
  for (const [name, value] of [...all.filter(isText), ...all.filter((f) => !isText(f))]) {
    const more = `${text && "  "}${name} ${show(value)}`;
    if (text.length + more.length > GLANCE) return text ? `${text} …` : more.slice(0, GLANCE);
    text += more;
  }
  return text;
}

/** The lines to show: what is below closed branches is left out. */
export function linesOf(tree: readonly Branch[], open: ReadonlySet<string>): Line[] {
  const lines: Line[] = [];
  const add = (list: readonly Branch[]) => list.forEach((branch, i) => {
    const isOpen = branch.children.length > 0 && open.has(branch.path);
    lines.push({ branch, open: isOpen, place: i + 1, of: list.length });
    if (isOpen) add(branch.children);
  });
  add(tree);
  return lines;
}

/** The line on which a line's parent is; its own where it has none. */
export function parentOf(lines: readonly Line[], at: number): number {
  const level = lines[at]?.branch.level ?? 1;
  for (let i = at - 1; i >= 0; i--) if ((lines[i]?.branch.level ?? level) < level) return i;
  return at;
}
