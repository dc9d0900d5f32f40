// @ts-check
// What has left the machine of a session's work: its last push, and its pull request.
import { get, ME, post } from "../api.js";
import { seen } from "../format.js";
import { html, useState } from "../html.js";
import { state, taskOf, useStore } from "../store.js";
import { Button, Confirm, Field, Switch, useLoaded } from "./basics.js";

/** @import { PullRequest, Push, Session } from "../openapi.js" */

/** The words for where the newest push stands. */
const PUSHED = {
  waiting_approval: "waits for an approval",
  pushing: "is on its way",
  pushed: "is there",
  failed: "was not pushed",
};

/** @param {{session: Session, headSha: string | null}} props */
export const Outward = ({ session, headSha }) => {
  const version = useStore(`pushes:${session.id}`);
  const [page] = useLoaded(
    () => get(`/api/sessions/${session.id}/pushes`, { limit: 1 }),
    [session.id],
    `${headSha} ${version}`,
  );
  const [opened] = useLoaded(
    () => get(`/api/sessions/${session.id}/pull-requests`, { limit: 1 }),
    [session.id],
    version,
  );
  const [opening, setOpening] = useState(false);
  const push = page?.items[0];
  const pull = opened?.items[0];
  const isOpen = pull && ["opening", "open", "elsewhere"].includes(pull.status);
  return html`
    ${push && html`<${Pushed} push=${push} />`} ${pull && html`<${Pulled} pull=${pull} />`}
    ${
      push?.status === "pushed" &&
      opened &&
      !isOpen &&
      html`<div class="actions start">
        <${Button} kind="primary" onClick=${() => setOpening(true)}>Open pull request…<//>
      </div>`
    }
    ${opening && html`<${Proposal} session=${session} onClose=${() => setOpening(false)} />`}
  `;
};

/** Where a push stands. @param {{push: Push}} props */
const Pushed = ({ push }) => {
  return html`<p class="quiet-line">
    <code>${push.sha.slice(0, 8)}</code> ${PUSHED[push.status]}
    ${push.status === "pushed" && html`: <code>${push.branchName}</code> at ${push.remote}`}
    ${
      push.status === "waiting_approval" &&
      html`: <a href=${`#/approvals/${push.approvalId}`}>decide</a>`
    }
    ${push.status === "failed" && html`. ${seen(push.problem || "")}`}
  </p>`;
};

/** The words for what all checks, and all reviews, come to. */
const CHECKS = {
  none: "no checks",
  pending: "checks run",
  passing: "checks pass",
  failing: "checks fail",
};
const REVIEWS = { none: "", approved: " · approved", changes_requested: " · changes requested" };

/** A pull request, as its forge told of it last. @param {{pull: PullRequest}} props */
const Pulled = ({ pull }) => {
  useStore("approvals");
  const [merging, setMerging] = useState(false);
  const asked = state.approvals.get(pull.mergeApprovalId || 0)?.status === "pending";
  const isAgreed = pull.mergeWhen === "checks_pass";
  return html`
    <${Told} pull=${pull} />
    ${isAgreed && html`<p class="quiet-line">It is merged once its checks pass.</p>`}
    ${
      asked &&
      html`<p class="quiet-line">
        Merging it waits for an approval:
        <a href=${`#/approvals/${pull.mergeApprovalId}`}> decide</a>
      </p>`
    }
    ${
      pull.status === "open" &&
      !isAgreed &&
      !asked &&
      html`<div class="actions start">
        <${Button} icon="merge" onClick=${() => setMerging(true)}>Merge when checks pass…<//>
      </div>`
    }
    ${
      merging &&
      html`<${Confirm} title="Merge it once its checks pass?" label="Ask" kind="primary"
        onClose=${() => setMerging(false)}
        act=${() => post(`/api/pull-requests/${pull.id}/merge`, { requestedBy: ME })}>
        <p>You are asked for an approval first. A new commit makes it void.</p>
      <//>`
    }
  `;
};

/** @param {{pull: PullRequest}} props */
const Told = ({ pull }) => html`<p class="quiet-line">
  ${
    pull.url
      ? html`<a href=${pull.url} target="_blank" rel="noreferrer">
        ${pull.number ? `Pull request ${pull.number}` : "Open the pull request there"}
      </a>`
      : "Pull request"
  }
  ${pull.status === "open" && ` · ${CHECKS[pull.checks]}${REVIEWS[pull.review]}`}
  ${pull.status === "merged" && " · merged"}${pull.status === "closed" && " · closed"}
  ${pull.problem && html`<br />${seen(pull.problem)}`}
  ${pull.checkRuns
    .filter((/** @type {any} */ run) => run.state === "failing")
    .map((/** @type {any} */ run) => html`<br /><span class="bad">${seen(run.name)} fails</span>`)}
</p>`;

/** @param {{session: Session, onClose: () => void}} props */
const Proposal = ({ session, onClose }) => {
  const [title, setTitle] = useState(taskOf(session)?.title || "");
  const [body, setBody] = useState("");
  const [draft, setDraft] = useState(false);
  return html`<${Confirm} title="Open a pull request?" label="Open" kind="primary"
    onClose=${onClose}
    act=${() =>
      post(`/api/sessions/${session.id}/pull-request`, { title, body, draft, requestedBy: ME })}>
    <${Field} label="Title">
      <input value=${title} maxlength="256"
        onInput=${(/** @type {any} */ e) => setTitle(e.currentTarget.value)} />
    <//>
    <${Field} label="Text">
      <textarea rows="4" value=${body}
        onInput=${(/** @type {any} */ e) => setBody(e.currentTarget.value)}></textarea>
    <//>
    <${Switch} label="Draft" hint="Nobody is asked for a review yet." on=${draft}
      onChange=${setDraft} />
  <//>`;
};
