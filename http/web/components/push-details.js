// @ts-check
// A push that waits for a decision.
import { seen } from "../format.js";
import { html } from "../html.js";

/** Where the commits go, and which they are. @param {{details: any}} props */
export const PushDetails = ({ details }) => {
  const { address, branchName, sha, remoteSha, force, commits, commitCount } = details;
  return html`
    <dl class="facts">
      <dt>To</dt>
      <dd><code>${seen(address)}</code></dd>
      <dt>Branch</dt>
      <dd><code>${seen(branchName)}</code> ${remoteSha ? "" : "(new)"}</dd>
      ${force && html`<dt>Replaces</dt><dd><code>${remoteSha.slice(0, 12)}</code></dd>`}
      <dt>Commit</dt>
      <dd><code>${sha.slice(0, 12)}</code></dd>
    </dl>
    <ul class="lost">
      ${commits.map(
        (/** @type {any} */ one) => html`<li key=${one.sha}>
          <code>${one.sha.slice(0, 8)}</code> ${seen(one.subject)}
        </li>`,
      )}
      ${commitCount > commits.length && html`<li>and ${commitCount - commits.length} more</li>`}
    </ul>
  `;
};
