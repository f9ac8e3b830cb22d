// The list at the side: who one is, the places, the conversations.

import type { Channel } from "@muster/client";
import { byId, make, setText, show } from "../shared/dom.ts";
import { initial, redraw } from "./render.ts";
import type { Session } from "./session.ts";
import { ago, stateText } from "./words.ts";

const talks = byId("talks", HTMLUListElement);

/** Where a conversation is on this page. */
export function hrefOf(channel: Channel): string {
  return `#talk/${encodeURIComponent(channel)}`;
}

/** Draws the side; place is the hash of what is shown beside it. */
export function drawSide(s: Session, place: string): void {
  setText(byId("my-name", HTMLElement), s.me.name);
  setText(byId("my-id", HTMLElement), s.me.id);
  const open = s.live.state === "open";
  const state = open ? (s.state(s.me.id) ?? "online") : "offline";
  byId("my-dot", HTMLElement).className = `dot ${state}`;
  setText(byId("my-state", HTMLElement), open ? stateText(state) + (s.watch === "everyone" ? "" : s.watch === "party" ? ", seen by your party" : ", seen by nobody") : "away");
  const unseen = byId("inbox-count", HTMLElement);
  show(unseen, s.unseen > 0);
  setText(unseen, String(s.unseen));
  show(byId("inbox-new", HTMLElement), s.unseen > 0);
  const t = s.play.ticket;
  setText(byId("play-note", HTMLElement), t?.state === "waiting" ? "waiting …" : t?.state === "confirming" ? "ready?" : s.play.fresh ? "match found" : s.party ? `party of ${s.party.members.length}` : "");
  const there = s.book.contacts.filter((c) => (s.state(c.id) ?? "offline") !== "offline").length;
  setText(byId("people-note", HTMLElement), there ? `${there} here` : "");
  for (const id of ["play", "inbox", "people"]) {
    const link = byId(`to-${id}`, HTMLAnchorElement);
    if (place === `#${id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }

  const list = s.book.entries.map(({ channel, entry }) => {
    const direct = channel.startsWith("direct:");
    return {
      channel, title: s.title(channel), preview: entry.preview, unread: entry.unread, when: entry.preview ? ago(entry.at) : "",
      state: direct ? (s.state(channel.slice(7)) ?? "offline") : "", current: place === hrefOf(channel),
    };
  });
  show(byId("talks-empty", HTMLElement), list.length === 0);
  redraw(talks, list, () => list.map((t) => {
    const link = make("a", `talk-link${t.unread ? " unread" : ""}`);
    link.href = hrefOf(t.channel);
    link.dataset["id"] = t.channel;
    if (t.current) link.setAttribute("aria-current", "page");
    const picture = initial(t.title);
    if (t.state) {
      picture.append(make("span", `dot ${t.state}`));
    } else {
      picture.classList.add(t.channel.startsWith("party:") ? "party" : "group");
    }
    const words = make("span", "words", make("b", "title", t.title), make("span", "hidden-text", t.state ? ` ${stateText(t.state as "online")} ` : " "), make("span", "preview", t.preview || "Nothing said yet"));
    const right = make("span", "right", make("span", "when", t.when));
    if (t.unread) right.append(make("b", "count", t.unread > 99 ? "99+" : String(t.unread)), make("span", "hidden-text", " unread"));
    link.append(picture, words, right);
    return make("li", "", link);
  }));
}
