const DARK = `
  --surface: #16181d; --raised: #21242b; --line: #363a43; --grid: #292d35; --ink: #f2f3f5; --soft: #a9adb7;
  --bad: #ff8a80; --mark: #f0a84b; --focus: #8ab8f5; --shadow: 0 8px 32px rgb(0 0 0 / .55), 0 0 0 1px rgb(255 255 255 / .06);
  --c0: #3f8ce8; --c1: #1fa876; --c2: #d29416; --c3: #9488ea; --c4: #db6595; --rest: #6d7078;`;

/**
 * The overlay's style, for its shadow root alone. It is adopted as a constructed sheet: pages whose policy forbids inline
 * styles take it.
 */
export const STYLE = `
:host {
  all: initial;
  position: fixed;
  inset: 12px 12px auto auto;
  z-index: 2147483000;
  width: min(376px, calc(100vw - 24px));
  max-height: calc(100vh - 24px);
  display: flex;
  color-scheme: light dark;
  font: 13px/1.35 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
  --surface: #fcfcfb; --raised: #f1f0ee; --line: #dcdbd6; --grid: #e7e6e2; --ink: #16161a; --soft: #55544e;
  --bad: #b3261e; --mark: #b45309; --focus: #1f5fae; --shadow: 0 8px 32px rgb(0 0 0 / .18), 0 1px 3px rgb(0 0 0 / .12);
  --c0: #2a78d6; --c1: #12925f; --c2: #d08a00; --c3: #6a5acd; --c4: #d4588c; --rest: #a3a29b;
}
:host([hidden]) { display: none; }
:host([data-side="left"]) { inset: 12px auto auto 12px; }
@media (prefers-color-scheme: dark) {
  :host(:not([data-theme="light"])) {
    ${DARK}
  }
}
:host([data-theme="dark"]) {
  color-scheme: dark;
  ${DARK}
}
:host([data-theme="light"]) { color-scheme: light; }
* { box-sizing: border-box; margin: 0; }
.panel {
  display: flex; flex-direction: column; flex: 1; min-width: 0;
  background: var(--surface); color: var(--ink); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow);
  overflow: hidden;
}
header { display: flex; align-items: center; gap: 8px; padding: 8px 8px 8px 14px; border-bottom: 1px solid var(--line); }
h2 { font-size: 13px; font-weight: 650; }
h3 { font-size: 12px; font-weight: 600; color: var(--soft); }
.state { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); flex: 1; min-width: 0; }
.state span:last-child { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.dot { width: 8px; height: 8px; border-radius: 50%; background: var(--rest); flex: none; }
.dot[data-state="playing"] { background: var(--c1); }
.dot[data-state="reconnecting"], .dot[data-state="connecting"] { background: var(--mark); }
.dot[data-state="closed"] { background: var(--bad); }
button, input, label { font: inherit; color: inherit; }
button {
  border: 1px solid var(--line); background: var(--raised); border-radius: 6px; padding: 3px 9px; min-height: 26px; cursor: pointer;
}
button:hover { border-color: var(--soft); }
button[aria-pressed="true"] { background: var(--ink); color: var(--surface); border-color: var(--ink); }
button.icon { width: 26px; padding: 0; line-height: 1; background: none; border-color: transparent; font-size: 16px; }
button.icon:hover { background: var(--raised); }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
.body { overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin; min-height: 0; }
.body:focus-visible { outline-offset: -2px; }
.graphs { padding: 4px 14px 8px; }
.row {
  display: grid; grid-template: auto minmax(0, 1fr) auto / 112px minmax(0, 1fr); column-gap: 10px; padding: 4px 0;
  border-bottom: 1px solid var(--grid);
}
.row:last-child { border-bottom: 0; }
.row dt { font-weight: 400; color: var(--soft); font-size: 12px; grid-area: 1 / 1; }
.row .value { grid-area: 2 / 1; }
.row .plot { grid-area: 1 / 2 / 3 / 2; }
.row .layers { grid-area: 3 / 2; }
.row .now { font-size: 16px; font-weight: 600; line-height: 1.2; }
.row .now small { font-size: 12px; font-weight: 400; color: var(--soft); margin-left: 2px; }
.row .more { font-size: 11.5px; line-height: 1.25; color: var(--soft); }
.bad { color: var(--bad) !important; }
.plot { min-width: 0; position: relative; }
canvas { display: block; width: 100%; height: 46px; }
.tall canvas { height: 68px; }
.legend { display: flex; flex-wrap: wrap; gap: 1px 10px; font-size: 11.5px; color: var(--soft); padding: 3px 0 0; list-style: none; }
.legend li { display: inline-flex; align-items: center; gap: 5px; }
.legend b { font-weight: 600; color: var(--ink); }
.chip { width: 9px; height: 9px; border-radius: 2px; flex: none; }
.c0 { background: var(--c0); } .c1 { background: var(--c1); } .c2 { background: var(--c2); } .c3 { background: var(--c3); }
.c4 { background: var(--c4); } .rest { background: var(--rest); }
.switch { display: inline-flex; margin-top: 4px; }
.switch button { min-height: 24px; padding: 0 8px; font-size: 11.5px; border-radius: 0; }
.switch button:first-child { border-radius: 6px 0 0 6px; }
.switch button:last-child { border-radius: 0 6px 6px 0; border-left: 0; }
.part { padding: 8px 14px 10px; border-top: 1px solid var(--line); }
.counts { padding-top: 5px; font-size: 11.5px; color: var(--soft); }
.log { list-style: none; padding: 4px 0 0; font-size: 12px; }
.log { max-height: 74px; overflow-y: auto; scrollbar-width: thin; }
.log li { display: grid; grid-template-columns: 38px 1fr; padding: 1px 0; }
.log .at { color: var(--soft); }
.log .host { font-weight: 600; }
.log .empty { display: block; color: var(--soft); }
fieldset { border: 0; padding: 0; min-width: 0; }
legend { padding: 0; font-size: 12px; font-weight: 600; color: var(--soft); }
.presets { display: flex; flex-wrap: wrap; gap: 5px; padding: 5px 0 7px; }
.presets button { margin-left: auto; }
.presets label { position: relative; cursor: pointer; }
.presets input { position: absolute; opacity: 0; inset: 0; margin: 0; width: 100%; height: 100%; cursor: pointer; }
.presets span { display: block; border: 1px solid var(--line); background: var(--raised); border-radius: 6px; padding: 3px 8px; }
.presets label:hover span { border-color: var(--soft); }
.presets input:checked + span { background: var(--ink); color: var(--surface); border-color: var(--ink); }
.presets input:focus-visible + span { outline: 2px solid var(--focus); outline-offset: 1px; }
.fields { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 6px; }
.fields label { font-size: 11px; color: var(--soft); display: grid; gap: 2px; align-content: end; }
.fields input {
  width: 100%; min-width: 0; min-height: 26px; padding: 2px 5px; border: 1px solid var(--line); border-radius: 5px; background: var(--raised); color: var(--ink);
}
.fields input:invalid { border-color: var(--bad); }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 520px) {
  :host, :host([data-side="left"]) { inset: auto 8px 8px 8px; width: auto; max-height: 60vh; }
}
@media (forced-colors: active) {
  .presets input:checked + span, button[aria-pressed="true"] { outline: 2px solid Highlight; }
}
`;
