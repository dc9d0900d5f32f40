// @ts-check
// Approvals: what waits for a decision, and what was decided.
/** @import { Approval as ApprovalRecord } from "../openapi.js" */
import { html } from "../html.js";
import {
  Badge,
  Choice,
  Empty,
  Head,
  Loading,
  Older,
  Problem,
  Rows,
  useLoaded,
  Ago,
} from "../components/basics.js";
import { useParam } from "../router.js";
import { ApprovalCard, useOpenApprovals } from "../components/approval.js";
import { useFilter } from "../components/filter.js";
import { OpenApprovals } from "../components/inbox.js";
import {
  need,
  newestFirst,
  pendingApprovals,
  placeOf,
  reachOf,
  state,
  taskOf,
  useStore,
  useTask,
} from "../store.js";
import { plural } from "../format.js";

/** What an approval is found by. @param {ApprovalRecord} approval */
const textOf = (approval) =>
  [
    `#${approval.id}`,
    approval.title,
    approval.details?.command,
    state.sessions.get(approval.sessionId ?? 0)?.title,
    taskOf(approval)?.title,
    placeOf(approval),
    approval.kind,
    approval.status,
  ].join(" ");

export const Approvals = () => {
  useStore("tasks", "repos");
  const [shown, setShown] = useParam("show", "open");
  const pending = pendingApprovals().length;
  const open = useOpenApprovals();
  const settled = newestFirst(state.approvals).filter((a) => a.status !== "pending");
  const [found, search] = useFilter(shown === "open" ? open : settled, textOf, "Search approvals");
  return html`
    <${Head} title="Approvals"
      note=${pending ? `${plural(pending, "decision")} to make` : "Nothing waits on you"}>
      <${Choice} label="Which approvals" value=${shown} onChange=${setShown}
        options=${[
          ["open", `Open ${pending || ""}`],
          ["settled", "Settled"],
        ]} />
    <//>
    ${search}
    ${
      shown === "open"
        ? open.length
          ? html`<h2 class="visually-hidden">Open</h2><${OpenApprovals} approvals=${found} />`
          : html`<${Empty} icon="approvals" title="Nothing waits on you"
            curl=${`curl '${location.origin}/api/approvals?status=pending'`}>
            <p>
              When Codex wants to do what its sandbox does not allow, or a run needs your agreement,
              it stands here.
            </p>
          <//>`
        : settled.length
          ? html`<${Rows} rows=${found} more=${html`<${Older} kind="approvals" />`}>
            ${(/** @type {ApprovalRecord} */ approval) => html`<${Settled} approval=${approval} />`}
          <//>`
          : html`
            <p class="quiet-line">
              ${
                reachOf("approvals").cursor
                  ? "None of the newest has been decided."
                  : "Nothing has been decided yet."
              }
            </p>
            <${Older} kind="approvals" />
          `
    }
  `;
};

/** @param {{approval: ApprovalRecord}} props */
const Settled = ({ approval }) => {
  const { id, title, status, resolvedAt, resolvedBy, resolutionNote } = approval;
  const note = [
    useTask(approval)?.title,
    resolvedBy && `by ${resolvedBy}`,
    resolutionNote && `“${resolutionNote}”`,
  ];
  return html`<a class="row" href=${`#/approvals/${id}`}>
    <div class="row-main">
      <div class="row-title">${title}</div>
      <div class="row-note">${note.filter(Boolean).join(" · ")}</div>
    </div>
    <div class="row-side">
      <${Badge} status=${status} />
      <span class="hint"><${Ago} ts=${resolvedAt} /></span>
    </div>
  </a>`;
};

/** @param {{id: number}} props */
export const Approval = ({ id }) => {
  useStore("approvals", "tasks", "repos");
  const [, error] = useLoaded(() => need("approvals", id), [id, state.approvals.has(id)]);
  const approval = state.approvals.get(id);
  return html`
    <${Head} title=${`Approval ${id}`} back="/approvals" />
    <div class="single">
      <h2 class="visually-hidden">Decision</h2>
      <${Problem} error=${error} />
      ${approval ? html`<${ApprovalCard} approval=${approval} />` : !error && html`<${Loading} />`}
    </div>
  `;
};
