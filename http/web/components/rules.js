// @ts-check
// What is always allowed in a repository, and the way to be asked again.
/** @import { Repository, Rule } from "../openapi.js" */
import { every, ME, remove } from "../api.js";
import { plural, quoted, seen, Words } from "../format.js";
import { html, useState } from "../html.js";
import { useStore } from "../store.js";
import { Ago, Button, Problem, useAct, useLoaded } from "./basics.js";

/** @param {{repo: Repository}} props */
export const Rules = ({ repo }) => {
  const version = useStore("approvals", "repos");
  const [rules, error, again] = useLoaded(
    () => every(`/api/repos/${repo.id}/rules`),
    [repo.id],
    version,
  );
  const [gone, setGone] = useState(/** @type {Rule | null} */ (null));
  const act = useAct();
  if (!rules?.length && !gone) return html`<${Problem} error=${error} />`;
  /** @param {Rule} rule */
  const take = (rule) =>
    act.run(String(rule.id), async () => {
      await remove(`/api/rules/${rule.id}`, { requestedBy: ME });
      setGone(rule);
      again();
    });
  return html`<section aria-labelledby="rules" class="card">
    <h2 id="rules" class="section">Always allowed</h2>
    <${Problem} error=${error || act.error} />
    ${gone && html`<p role="status" class="hint">${spelled(gone)} is asked about again.</p>`}
    <ul class="rows">
      ${(rules || []).map(
        (rule) => html`<li key=${rule.id}>
          <div class="row">
            <div class="row-main">
              <div class="row-title"><code>${spelled(rule)}</code></div>
              <div class="row-note">
                ${rule.kind === "network" ? "host" : rule.isExact ? "exactly" : "and what follows"}
                ${rule.folder && html` in <code>${seen(rule.folder)}</code>`} ·${" "}
                ${plural(rule.uses, "time")} · <${Ago} ts=${rule.createdAt} /> by${" "}
                ${rule.requestedBy}
              </div>
              <div class="row-note">
                In runs with at least: ${Words(rule.sandbox)}, network${" "}
                ${rule.allowNetwork ? "on" : "off"}, commits ${rule.allowCommit ? "on" : "off"}
              </div>
            </div>
            <${Button} kind="quiet" busy=${act.busy === String(rule.id)}
              onClick=${() => take(rule)}>
              Remove
            <//>
          </div>
        </li>`,
      )}
    </ul>
  </section>`;
};

/** @param {Rule} rule */
const spelled = ({ words, host, isExact }) =>
  host ? seen(host) : `${words.map(quoted).join(" ")}${isExact ? "" : " …"}`;
