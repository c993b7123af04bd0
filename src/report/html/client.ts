/**
 * The page's script: moves a cursor over the charts and shows the tooltip of that place. All its text was
 * made by the report (it is in the page's data); without the script the page only lacks tooltips.
 */

/** The tooltip: hidden, or filled with the lines of one place. */
const BOX = `
  const tips = JSON.parse(document.getElementById("pagewise-data").textContent).tips;
  const box = document.getElementById("tip");
  const hide = (svg) => {
    box.style.visibility = "hidden";
    svg.querySelector(".cursor").style.visibility = "hidden";
  };
  const fill = (tip) => {
    box.replaceChildren();
    const head = document.createElement("b");
    head.textContent = tip.head;
    box.append(head);
    for (const [style, text] of tip.lines) {
      const row = document.createElement("div");
      if (style !== "") {
        const key = document.createElement("span");
        key.className = "key " + style;
        key.textContent = "\\u25a0";
        row.append(key, " ");
      }
      row.append(text);
      box.append(row);
    }
  };
`;

/** Puts cursor and tooltip at one place of a chart; the latency chart's places are bins, not points. */
const SHOW = `
  const show = (svg, index) => {
    const list = tips[svg.dataset.tips];
    const left = Number(svg.dataset.left);
    const right = Number(svg.dataset.right);
    const last = list.length - 1;
    const i = Math.min(last, Math.max(0, index));
    const x = left + ((right - left) * (svg.dataset.tips === "latency" ? i + 0.5 : i)) /
      (svg.dataset.tips === "latency" ? list.length : last);
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width;
    const cursor = svg.querySelector(".cursor");
    cursor.setAttribute("transform", "translate(" + x + " 0)");
    cursor.style.visibility = "visible";
    fill(list[i]);
    const at = frame.left + x * scale;
    const wide = box.offsetWidth;
    const page = document.documentElement.clientWidth;
    const beside = at + 14 + wide < page ? at + 14 : at - 14 - wide;
    box.style.left = Math.max(4, Math.min(page - wide - 4, beside)) + window.scrollX + "px";
    // On a phone the box would hide the chart: there it stands below.
    const top = wide > page / 2 ? frame.bottom + 4 : frame.top + 12;
    box.style.top = top + window.scrollY + "px";
    box.style.visibility = "visible";
    svg.dataset.index = i;
  };
`;

/** Pointer and arrow keys. */
const LISTEN = `
  for (const svg of document.querySelectorAll("svg.chart")) {
    const move = (event) => {
      const frame = svg.getBoundingClientRect();
      const x = ((event.clientX - frame.left) * svg.viewBox.baseVal.width) / frame.width;
      const left = Number(svg.dataset.left);
      const share = (x - left) / (Number(svg.dataset.right) - left);
      const count = tips[svg.dataset.tips].length;
      show(svg, svg.dataset.tips === "latency" ? Math.floor(share * count) : Math.round(share * (count - 1)));
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerdown", move);
    svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide(svg));
    svg.addEventListener("blur", () => hide(svg));
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") hide(svg);
      if (step === undefined) return;
      event.preventDefault();
      show(svg, Number(svg.dataset.index ?? -1) + step);
    });
  }
`;

export const CLIENT = `"use strict";\n{${BOX}${SHOW}${LISTEN}}\n`;
