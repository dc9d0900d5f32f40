// @ts-check
// A QR code, dark on light whatever the colours of the page, as cameras want it.
import { html } from "../html.js";

const QUIET = 4; // light modules around it, by the standard

/** @param {{rows: string[], label: string}} props */
export const Qr = ({ rows, label }) => {
  const size = rows.length + 2 * QUIET;
  const dark = rows
    .flatMap((row, y) =>
      [...row.matchAll(/1+/g)].map(
        ({ index, 0: run }) => `M${index + QUIET} ${y + QUIET}h${run.length}v1h-${run.length}z`,
      ),
    )
    .join("");
  return html`<svg class="qr" role="img" aria-label=${label} viewBox=${`0 0 ${size} ${size}`}
    shape-rendering="crispEdges">
    <path class="qr-light" d=${`M0 0h${size}v${size}h-${size}z`} />
    <path class="qr-dark" d=${dark} />
  </svg>`;
};
