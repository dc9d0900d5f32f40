// @ts-check
// What has left the machine of a session's work: its last push, and its pull request.
import { ME, post, remove } from "../api.js";
import { seen } from "../format.js";
import { html, useState } from "../html.js";
import { need, repoOf, state, taskOf, useStore } from "../store.js";
import { ApprovalCard } from "./approval.js";
import { Button, Confirm, Field, Switch, useLoaded } from "./basics.js";

/** @import { Changes, PullRequest, Push, Session } from "../openapi.js" */

/** The words for where the newest push stands. */
const PUSHED = {
  waiting_approval: "waits for an approval",
  pushing: "is on its way",
  pushed: "is there",
  failed: "was not pushed",
};

/** @param {Session} session */
export const hasRemotes = (session) => Boolean(repoOf(session)?.facts.remotes?.length);

/**
 * The newest is null where there is none, and undefined until that is known.
 * @param {{session: Session, changes: Changes, push: Push | null | undefined,
 *   pull: PullRequest | null | undefined, onAct: () => void}} props
 */
export const Outward = ({ session, changes, push, pull, onAct }) => {
  const headSha = changes.headSha || null;
  const [isAsked, ask] = useState(false);
  const isOpen = pull && ["opening", "open", "elsewhere"].includes(pull.status);
  const isThere = [push?.sha, pull?.headSha].includes(headSha || undefined);
  const isOnItsWay = push?.sha === headSha && push?.pullRequest && !push.problem;
  const isDone = pull ? isThere && !["closed", "failed"].includes(pull.status) : isOnItsWay;
  const isWanted = changes.uncommitted > 0 || !isDone;
  return html`
    ${push && html`<${Pushed} push=${push} />`} ${pull && html`<${Pulled} pull=${pull} />`}
    ${
      push !== undefined &&
      pull !== undefined &&
      (push || hasRemotes(session)) &&
      isWanted &&
      html`<div class="actions start">
        <${Button} kind="primary" onClick=${() => ask(true)}>
          ${isOpen ? "Update pull request…" : "Open pull request…"}
        <//>
      </div>`
    }
    ${
      isAsked &&
      html`<${Proposal} session=${session} changes=${changes} pull=${isOpen ? pull : null}
        onClose=${() => {
          ask(false);
          onAct();
        }} />`
    }
  `;
};

/** Where a push stands. @param {{push: Push}} props */
const Pushed = ({ push }) => html`
  <p class="quiet-line">
    <code>${push.sha.slice(0, 8)}</code> ${PUSHED[push.status]}
    ${push.status === "pushed" && html`: <code>${push.branchName}</code> at ${push.remote}`}
    ${push.problem && html`. ${seen(push.problem)}`}
  </p>
  <${Asked} id=${push.approvalId} />
`;

/** The approval that a step out waits for, decided here. @param {{id: number | null}} props */
const Asked = ({ id }) => {
  useStore("approvals");
  useLoaded(async () => id && (await need("approvals", id)), [id]);
  const approval = state.approvals.get(id || 0);
  return approval?.status === "pending"
    ? html`<${ApprovalCard} approval=${approval} isTwin />`
    : null;
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
  const [isCallingOff, setCallingOff] = useState(false);
  return html`
    <${Told} pull=${pull} />
    ${
      isAgreed &&
      pull.status === "open" &&
      html`<p class="quiet-line">It is merged once its checks pass.</p>
        <div class="actions start">
          <${Button} onClick=${() => setCallingOff(true)}>Don't merge it…<//>
        </div>`
    }
    <${Asked} id=${pull.status === "open" ? pull.mergeApprovalId : null} />
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
    ${
      isCallingOff &&
      html`<${Confirm} title="Call the merge off?" label="Call it off"
        onClose=${() => setCallingOff(false)}
        act=${() => remove(`/api/pull-requests/${pull.id}/merge`, { requestedBy: ME })}>
        <p>It stays open, and is not merged when its checks pass unless you ask for that again.</p>
      <//>`
    }
  `;
};

/** A page of the forge's, if it is one of the web. @param {{url: any, children?: any}} props */
const There = ({ url, children }) =>
  /^https?:\/\//.test(url || "")
    ? html`<a href=${url} target="_blank" rel="noreferrer">${children}</a>`
    : children;

/** @param {PullRequest} pull */
const nameOf = ({ status, number: its }) =>
  status === "elsewhere" ? "Open the pull request there" : `Pull request ${its || ""}`;

/** @param {{pull: PullRequest}} props */
const Told = ({ pull }) => html`
  <p class="quiet-line">
    <${There} url=${pull.url}>${nameOf(pull)}<//>
    ${pull.status === "open" && ` · ${CHECKS[pull.checks]}${REVIEWS[pull.review]}`}
    ${pull.status === "merged" && " · merged"}${pull.status === "closed" && " · closed"}
  </p>
  ${pull.problem && html`<p class="quiet-line bad">${seen(pull.problem)}</p>`}
  ${
    pull.status === "open" &&
    pull.checkRuns
      .filter((/** @type {any} */ run) => run.state === "failing")
      .map(
        (/** @type {any} */ run) => html`<p class="quiet-line bad" key=${run.name}>
          <${There} url=${run.url}>${seen(run.name)}<//> fails
        </p>`,
      )
  }
`;

/**
 * One press that commits what is not committed, pushes it, and opens the pull request. A part that
 * is done is not done again where a later one fails and the press is repeated.
 * @param {{session: Session, changes: Changes, pull: PullRequest | null, onClose: () => void}}
 * props
 */
const Proposal = ({ session, changes, pull, onClose }) => {
  const [title, setTitle] = useState(taskOf(session)?.title || "");
  const [body, setBody] = useState("");
  const [draft, setDraft] = useState(false);
  const [headSha, setHeadSha] = useState(
    /** @type {string | null} */ (changes.uncommitted ? null : changes.headSha || null),
  );
  const parts = [changes.uncommitted && "commit", "push", !pull && "open"].filter(Boolean);
  const act = async () => {
    let sha = headSha;
    if (!sha) {
      const message = body.trim() ? `${title}\n\n${body.trim()}` : title;
      const wanted = { message, headSha: changes.headSha, requestedBy: ME };
      sha = (await post(`/api/sessions/${session.id}/commit`, wanted)).sha;
      setHeadSha(sha);
    }
    await post(`/api/sessions/${session.id}/push`, {
      headSha: sha,
      pullRequest: pull ? undefined : { title, body, draft },
      requestedBy: ME,
    });
  };
  const label = parts.join(", ").replace(/, ([a-z]+)$/, " and $1");
  return html`<${Confirm} title=${pull ? "Update the pull request?" : "Open a pull request?"}
    label=${label[0].toUpperCase() + label.slice(1)} kind="primary" onClose=${onClose} act=${act}>
    ${
      (!pull || changes.uncommitted > 0) &&
      html`
        <${Field} label="Title">
          <input value=${title} maxlength="256"
            onInput=${(/** @type {any} */ e) => setTitle(e.currentTarget.value)} />
        <//>
        <${Field} label="Text">
          <textarea rows="4" value=${body}
            onInput=${(/** @type {any} */ e) => setBody(e.currentTarget.value)}></textarea>
        <//>
      `
    }
    ${
      !pull &&
      html`<${Switch} label="Draft" hint="Nobody is asked for a review yet." on=${draft}
        onChange=${setDraft} />`
    }
    <p class="hint">
      ${changes.uncommitted > 0 && "All that is not committed is committed, and no hook runs. "}
      ${PUSHES[repoOf(session)?.allowPush ? "unasked" : "asked"]}
    </p>
  <//>`;
};

const PUSHES = {
  asked: "You are asked before anything is sent, and see the address and the commits.",
  unasked: "A remote that is new since you allowed pushes is asked about first.",
};
