// @ts-check
// Work that was discarded in a repository, and the way to have it back.
import { get, ME, post } from "../api.js";
import { plural } from "../format.js";
import { html, useState } from "../html.js";
import { Ago, Button, Problem, useAct, useLoaded } from "./basics.js";

/** @import { DiscardedWork, Repository } from "../openapi.js" */

/** @param {{repo: Repository}} props */
export const Discarded = ({ repo }) => {
  const [page, error] = useLoaded(
    () => get(`/api/repos/${repo.id}/discarded`, { limit: 50 }),
    [repo.id],
  );
  if (error) return html`<${Problem} error=${error} />`;
  const kept = page?.items.filter(({ status }) => status !== "expired") || [];
  if (!kept.length) return null;
  return html`
    <h2 id="discarded" class="section">Discarded work</h2>
    <ul class="rows card">
      ${kept.map((work) => html`<li key=${work.id}><${Kept} work=${work} /></li>`)}
    </ul>
  `;
};

/** @param {{work: DiscardedWork}} props */
const Kept = ({ work }) => {
  const { busy, error, run } = useAct();
  const [branch, setBranch] = useState("");
  const restore = () =>
    run("restore", async () => {
      const made = await post(`/api/discarded/${work.id}/restore`, { requestedBy: ME });
      setBranch(made.branchName);
    });
  return html`<div class="row">
    <div class="row-main">
      <div class="row-title">
        ${plural(work.files, "file")} of ${" "}
        <a href=${`#/sessions/${work.sessionId}`}>session ${work.sessionId}</a>
      </div>
      <div class="row-note">
        <${Ago} ts=${work.createdAt} /> by ${work.requestedBy}, kept until
        ${" "}${work.expiresAt.slice(0, 10)}
      </div>
      ${branch && html`<p role="status">It is on the branch <code>${branch}</code>.</p>`}
      <${Problem} error=${error} />
    </div>
    ${!branch && html`<${Button} busy=${busy} onClick=${restore}>Restore<//>`}
  </div>`;
};
