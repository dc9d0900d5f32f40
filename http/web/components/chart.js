// @ts-check
// uPlot, loaded when a chart is first shown, in the colours of the page.
import { html, useEffect, useRef, useState } from "../html.js";
import { sheet } from "../sheets.js";

/** @import uPlot from "../vendor/uplot.js" */

/** @type {Promise<typeof uPlot> | null} */
let loading = null;

function library() {
  sheet("./vendor/uplot.css");
  loading ||= import("../vendor/uplot.js").then((exports) => exports.default);
  return loading;
}

/** @param {string} name */
export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * @typedef {{head: string[], rows: () => any[][]}} Table The same as numbers; the rows are asked
 * for once somebody wants them.
 */

/**
 * A chart whose `options` are made anew when `inputs` change.
 * @param {{label: string, data: uPlot.AlignedData, options: (library: typeof uPlot) =>
 * Omit<uPlot.Options, "width" | "height">, inputs: unknown[], table: Table, height?: number}} props
 */
export const Chart = ({ label, data, options, inputs, table, height = 190 }) => {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    let chart = /** @type {uPlot | null} */ (null);
    let wanted = true;
    const watcher = new ResizeObserver(([entry]) =>
      chart?.setSize({ width: Math.floor(entry.contentRect.width), height }),
    );
    library().then(
      (uPlot) => {
        const parent = place.current;
        if (!wanted || !parent) return;
        const axis = {
          stroke: colour("text-soft"),
          grid: { stroke: colour("line"), width: 1 },
          ticks: { show: false },
          font: "12px system-ui",
        };
        const made = options(uPlot);
        const axes = [axis, { ...axis, size: 52 }].map((plain, at) => ({
          ...plain,
          ...(made.axes?.[at] || {}),
        }));
        chart = new uPlot(
          { width: parent.clientWidth, height, legend: { show: false }, ...made, axes },
          data,
          parent,
        );
        watcher.observe(parent);
      },
      () => {
        loading = null; // it is tried again with the next chart
      },
    );
    return () => {
      wanted = false;
      watcher.disconnect();
      chart?.destroy();
    };
  }, inputs);
  return html`
    <div class="chart" ref=${place} role="img" aria-label=${label}></div>
    <${AsTable} label=${label} table=${table} />
  `;
};

/** @param {{label: string, table: Table}} props */
const AsTable = ({ label, table: { head, rows } }) => {
  const [isOpen, open] = useState(false);
  return html`<details class="fold aside"
    onToggle=${(/** @type {any} */ e) => open(e.currentTarget.open)}>
    <summary>As a table</summary>
    ${
      isOpen &&
      html`<div class="figures" tabindex="0" role="region" aria-label=${label}>
        <table>
          <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
          <tbody>
            ${rows().map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}
          </tbody>
        </table>
      </div>`
    }
  </details>`;
};
