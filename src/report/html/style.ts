/**
 * The page's style sheet. Colours of columns are a palette that colour-blind readers can tell apart; every
 * line also has its own dash pattern, so that nothing depends on colour alone.
 */

const LIGHT = ["#0b6fb3", "#c2500a", "#00805c", "#9c4f86", "#8a6d00", "#2f4b7c", "#a3133b", "#4d4d4d"];
const DARK = ["#5db4f0", "#f59a5b", "#3fcfa0", "#e29ccb", "#e3c34b", "#a5b8e8", "#ff8fa6", "#c9c9c9"];
const DASHES = ["none", "9 5", "2 4", "12 4 2 4", "5 2", "1 3", "14 6", "6 3 1 3"];

const colours = (list: readonly string[]): string => list.map((colour, i) => `--c${i}:${colour}`).join(";");

const columnRules = LIGHT.map(
  (_, i) =>
    `.line.c${i}{stroke:var(--c${i});stroke-dasharray:${DASHES[i]}}` +
    `.dot.c${i},.bar.c${i}{fill:var(--c${i})}.key.c${i}{color:var(--c${i})}`,
).join("\n");

export const STYLE = `
:root{color-scheme:light dark;--ground:#fbfbf9;--card:#ffffff;--ink:#1c1e21;--soft:#5c6269;--rule:#dfe1dd;
--grid:#e6e8e4;--better:#00694c;--better-ground:#e2f3ec;--worse:#a33c00;--worse-ground:#fbe9de;
--accent:#0b6fb3;
--l0:#0b6fb3;--l1:#9ccbe8;--l2:#c9c6bb;--touched:#1c1e21;${colours(LIGHT)}}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--card:#1c2024;--ink:#e9ebed;--soft:#a3abb3;
--rule:#343a40;
--grid:#2b3036;--better:#6fdcb4;--better-ground:#12352a;--worse:#ffb083;--worse-ground:#43230f;
--accent:#5db4f0;
--l0:#3f95d1;--l1:#1f4f70;--l2:#5a5a55;--touched:#ffffff;${colours(DARK)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:0 0 2px}
h3{font-size:.95rem;margin:18px 0 0}
p{margin:0}
.about,.caption,.note{color:var(--soft);font-size:.9rem}
section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 20px;
margin-top:18px}
.answer{border-left:5px solid var(--accent)}
.answer p{font-size:1.08rem;margin-top:8px}
.answer .note{font-size:.9rem}
.scroll{position:relative;overflow-x:auto;margin-top:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92rem}
th,td{padding:5px 4px 5px 26px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
th:first-child{text-align:left;padding-left:0;font-weight:400;position:sticky;left:0;background:var(--card)}
thead th{font-weight:600;vertical-align:bottom;white-space:normal;overflow-wrap:break-word;min-width:7.5em}
tr.group th{font-weight:600;color:var(--soft);padding-top:14px;font-size:.85rem;
text-transform:uppercase;letter-spacing:.05em}
tbody tr:not(.group):hover>*{background:var(--grid)}
th[title]{cursor:help}
.relative{display:inline-block;min-width:5.2em;text-align:right;margin-left:6px}
.relative span{border-radius:4px;padding:1px 5px}
.better{color:var(--better);background:var(--better-ground)}
.worse{color:var(--worse);background:var(--worse-ground)}
.plain{color:var(--soft)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin:10px 0 4px;
font-size:.88rem}
.legend li{display:flex;align-items:center;gap:7px}
.legend svg{width:34px;height:12px;flex:none}
svg.chart{display:block;width:100%;height:auto;outline-offset:2px;touch-action:pan-y}
svg.narrow,wbr.tight{display:none}
.label{font:12px system-ui,sans-serif;fill:var(--soft)}
.name{font:600 13px system-ui,sans-serif;fill:var(--ink)}
.grid{stroke:var(--grid);fill:none}.axis,.tick{stroke:var(--soft);fill:none}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.reference{stroke:var(--soft);stroke-width:1.4;stroke-dasharray:1 3}.dot.reference{fill:var(--soft);
stroke:none}
.touched{stroke:var(--touched);stroke-width:1.6;stroke-dasharray:3 3;fill:none}
.area{stroke:none}.area.l0{fill:var(--l0)}.area.l1{fill:var(--l1)}.area.l2{fill:var(--l2)}
.p99{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 3}
.cursor{stroke:var(--ink);stroke-width:1;visibility:hidden;pointer-events:none}
#tip{position:absolute;z-index:9;pointer-events:none;visibility:hidden;background:var(--card);
color:var(--ink);
border:1px solid var(--soft);border-radius:6px;padding:6px 10px;font-size:.85rem;
box-shadow:0 3px 14px #0004;max-width:92vw}
#tip b{display:block;font-weight:600}
.key{display:inline-block;width:.9em;font-weight:700}
.key.l0{color:var(--l0)}.key.l1{color:var(--l1)}.key.l2{color:var(--l2)}
.key.touched,.key.reference{color:var(--soft)}
${columnRules}
details summary{cursor:pointer;font-weight:600;font-size:1.05rem}
ul.notes{padding-left:1.2em;margin:8px 0 0}ul.notes li{margin-top:4px}
code{font-family:ui-monospace,monospace;font-size:.88em;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.85rem;margin-top:22px}
@media (max-width:640px){main{padding:16px 10px 40px}section{padding:14px}svg.wide{display:none}
svg.narrow{display:block}wbr.tight{display:inline}.relative:empty{display:none}

th:first-child{white-space:normal;min-width:8.6em}th,td{padding:4px 5px;vertical-align:top}
thead th{min-width:5.6em}
.relative:not(:empty){display:block;margin:0}h1{font-size:1.3rem}}
@media print{h3{break-after:avoid}svg.chart{break-inside:avoid}
:root{--ground:#fff;--card:#fff}body{font-size:11pt}section{break-inside:avoid;
border-color:#bbb}
section.long{break-inside:auto}#tip{display:none}main{max-width:none;padding:0}.scroll{overflow:visible}
table{font-size:8.5pt}th,td{padding:2px 4px}}
`;
