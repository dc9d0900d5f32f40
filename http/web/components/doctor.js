// @ts-check
// The doctor: what keeps the server from working, why it matters, and what mends it.
import { get } from "../api.js";
import { plural, Words } from "../format.js";
import { html } from "../html.js";
import { Ago, Badge, Button, Head, Loading, Problem, useLoaded } from "./basics.js";

/** @import { Finding } from "../openapi.js" */

/** @type {[Finding["level"], string, string][]} */
const PARTS = [
  ["error", "Wrong", "failed"],
  ["warning", "To look at", "interrupted"],
];

/** @param {Finding} one */
const nameOf = (one) => Words(one.check.replaceAll("-", "_"));

export const Doctor = () => {
  const [told, error, again] = useLoaded(() => get("/api/doctor"), []);
  const wrong = told?.findings.filter((one) => one.level !== "ok").length || 0;
  return html`
    <${Head} title="Doctor" back="/runtime"
      note=${
        told &&
        html`${wrong ? plural(wrong, "finding") : "All is well"} ·
          <${Ago} ts=${told.examinedAt} />`
      }>
      <${Button} icon="refresh" onClick=${again}>Look again<//>
    <//>
    <${Problem} error=${error} />
    ${
      told
        ? html`<div class="stack wide-gap">
          ${PARTS.map(([level, title, status]) => {
            const found = told.findings.filter((one) => one.level === level);
            return (
              found.length > 0 &&
              html`<section key=${level} class="stack" aria-labelledby=${`level-${level}`}>
                <h2 id=${`level-${level}`} class="section">
                  ${title} <span class="count quiet">${found.length}</span>
                </h2>
                ${found.map((one) => html`<${Found} one=${one} status=${status} />`)}
              </section>`
            );
          })}
          <${Well} found=${told.findings.filter((one) => one.level === "ok")} />
        </div>`
        : !error && html`<${Loading} />`
    }
  `;
};

/** @param {{one: Finding, status: string}} props */
const Found = ({ one, status }) => html`<article class="card stack">
  <div class="row-title">
    ${nameOf(one)} <${Badge} status=${status} text=${Words(one.level)} />
  </div>
  <p>${one.message}</p>
  ${one.why && html`<p class="hint">${one.why}</p>`}
  ${one.mend && html`<p><strong>Mend:</strong> ${one.mend}</p>`}
  <p>
    <a href=${`/docs/doctor.html#${one.check}`} target="_blank" rel="noreferrer">
      What the documentation says of it
    </a>
  </p>
</article>`;

/** @param {{found: Finding[]}} props */
const Well = ({ found }) => html`<section aria-labelledby="well">
  <h2 id="well" class="section">Well <span class="count quiet">${found.length}</span></h2>
  <dl class="facts card">
    ${found.map(
      (one) => html`
        <dt>${nameOf(one)}</dt>
        <dd>${one.message} ${one.mend && html`<div class="hint">${one.mend}</div>`}</dd>
      `,
    )}
  </dl>
</section>`;
