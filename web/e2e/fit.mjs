// Whether a page fits its window, by geometry: for the scripts beside this file.

/**
 * The sizes that every page must fit: a small window, phones upright and on their side, and what people sit before. The
 * ones with touch are looked at by contexts that have it.
 */
export const SIZES = [
  { width: 400, height: 300 },
  { width: 640, height: 400 },
  { width: 960, height: 640 },
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
];
export const TOUCH_SIZES = [
  { width: 360, height: 640 },
  { width: 640, height: 400 },
];

/**
 * Returns what does not fit in a page as it is now, in words: what lies under something else, what is cut off, what cannot
 * be reached by scrolling. Only what is in root counts, and what is no part of ignore. Of lists that scroll, what is out of
 * sight does not count. The boxes of whatever a selector of apart finds must not meet any other of them.
 */
export function misfits(page, { root = "body", ignore = "", apart = [] } = {}) {
  return page.evaluate(find, { root, ignore, apart });
}

/* Runs in the page. */
function find({ root, ignore, apart }) {
  const SLACK = 2; // px
  const GLYPHS = 0.3; // of a line's height, above and below what must be read
  const found = new Set();
  const solid = new CSSStyleSheet();
  solid.replaceSync("body * { pointer-events: auto !important; }"); // else what lets the mouse through is not found at a point
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, solid];
  try {
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) found.add(`the page is ${wide} px too wide`);
    keepApart();
    for (const element of document.querySelector(root).querySelectorAll("*")) {
      if (ignore && element.closest(ignore) || unseen(element)) continue;
      if (element.matches("button, a[href], input, select, textarea, canvas.map")) judge(element, element.getBoundingClientRect());
      for (const node of element.childNodes) {
        if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const { left, right, top, bottom } of range.getClientRects()) {
          const air = (bottom - top) * GLYPHS; // the font's, in which other lines may be
          judge(element, { left, right, top: top + air, bottom: bottom - air });
        }
      }
    }
  } finally {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== solid);
  }
  return [...found];

  function keepApart() {
    const boxes = apart.flatMap((s) => [...document.querySelectorAll(s)]).filter((e) => !unseen(e)).map((e) => [e, e.getBoundingClientRect()]);
    boxes.forEach(([a, p], i) => {
      if (p.left < -SLACK || p.top < -SLACK || p.right > innerWidth + SLACK || p.bottom > innerHeight + SLACK) found.add(`${name(a)} is off the window`);
      for (const [b, q] of boxes.slice(i + 1)) {
        const [x, y] = [Math.min(p.right, q.right) - Math.max(p.left, q.left), Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top)];
        if (x > SLACK && y > SLACK) found.add(`${name(a)} and ${name(b)} meet in ${Math.round(x)} x ${Math.round(y)} px`);
      }
    });
  }

  function judge(element, { left, right, top, bottom }) {
    if (right - left < 1 || bottom - top < 1) return undefined;
    for (let e = element, fixed = false; e && e !== document.documentElement; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (!fixed && e !== document.body && style.overflowX !== "visible") {
        const box = e.getBoundingClientRect();
        const shut = [style.overflowX, style.overflowY].map((o) => o === "hidden" || o === "clip");
        const short = style.textOverflow === "ellipsis";
        if (shut[0] && !short && (left < box.left - SLACK || right > box.right + SLACK)) return found.add(`${name(element)} is cut off by the sides of ${name(e)}`);
        if (shut[1] && (top < box.top - SLACK || bottom > box.bottom + SLACK)) return found.add(`${name(element)} is cut off by ${name(e)}`);
        [left, right, top, bottom] = [Math.max(left, box.left), Math.min(right, box.right), Math.max(top, box.top), Math.min(bottom, box.bottom)];
        if (right - left < 1 || bottom - top < SLACK) return undefined; // to be scrolled to
      }
      fixed ||= style.position === "fixed";
    }
    const still = getComputedStyle(document.body).overflowY === "hidden" || getComputedStyle(document.documentElement).overflowY === "hidden";
    if (left < -SLACK || right > innerWidth + SLACK) return found.add(`${name(element)} is off the sides`);
    if (still && (top < -SLACK || bottom > innerHeight + SLACK)) return found.add(`${name(element)} is off the window`);
    const inset = Math.min(3, (right - left) / 4, (bottom - top) / 4);
    for (const x of [left + inset, (left + right) / 2, right - inset]) {
      for (const y of [top + inset, (top + bottom) / 2, bottom - inset]) {
        if (y < 0 || y >= innerHeight || x < 0 || x >= innerWidth) continue;
        const over = document.elementsFromPoint(x, y).find((e) => related(e, element) || inked(e));
        if (over && !related(over, element)) return found.add(`${name(element)} lies under ${name(over)}`);
      }
    }
    return undefined;
  }

  function related(a, b) {
    return a.contains(b) || b.contains(a) || (a.closest("label") ?? a) === (b.closest("label") ?? b);
  }

  /* Whether it hides what lies under it, or makes it illegible. */
  function inked(e) {
    if (e.shadowRoot || e.matches("button, input, textarea, select, canvas, img, svg")) return true;
    if ([...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim())) return !unseen(e);
    const { backgroundColor, opacity } = getComputedStyle(e);
    const alpha = /rgba?\([^)]*[,/] *([\d.]+)\)$/.exec(backgroundColor)?.[1] ?? (backgroundColor.startsWith("rgb(") ? 1 : 0.5);
    return Number(alpha) * Number(opacity) > 0.3;
  }

  function unseen(e) {
    if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return true;
    for (let up = e; up; up = up.parentElement) if (getComputedStyle(up).clipPath === "inset(50%)") return true; // for screen readers
    return false;
  }

  function name(e) {
    const text = (e.getAttribute("aria-label") || e.innerText || e.value || "").trim().replace(/\s+/g, " ").slice(0, 30);
    return `${e.localName}${e.id ? `#${e.id}` : e.classList.length ? `.${[...e.classList].join(".")}` : ""}${text ? ` "${text}"` : ""}`;
  }
}
