// @ts-check
// One approval: everything that is needed to decide, and the decision, within a thumb's reach.
/** @import { Approval, NewRule } from "../openapi.js" */
import { ME, post, wholeText } from "../api.js";
import { basename, plural, seen, Words } from "../format.js";
import { html, useLayoutEffect, useRef, useState } from "../html.js";
import {
  learn,
  pendingApprovals,
  placeOf,
  refresh,
  repoOf,
  state,
  useStore,
  useTask,
} from "../store.js";
import {
  Ago,
  Badge,
  Button,
  Choice,
  Code,
  Countdown,
  focused,
  lazily,
  Problem,
  useAct,
  useTick,
} from "./basics.js";
import { Icon } from "./icon.js";

const Shortened = lazily(() => import("./shortened.js"), "Shortened");
const Subject = lazily(() => import("./subject.js"), "Subject");
const Questions = lazily(() => import("./questions.js"), "Questions");
const AlwaysAllow = lazily(() => import("./always-allow.js"), "AlwaysAllow");

/** @type {Record<string, [string, string]>} */
const KINDS = {
  run: ["play", "Start a run"],
  trust: ["lock", "Trust a configuration"],
  setup: ["file", "Set up worktrees"],
  push: ["merge", "Push commits"],
  merge: ["merge", "Merge a pull request"],
  command: ["command", "Run a command"],
  file_change: ["file", "Change files"],
  permissions: ["lock", "More permissions"],
  user_input: ["question", "A question"],
  elicitation: ["question", "A tool asks"],
  manual: ["approvals", "A decision"],
};
const FOR_SESSION = new Set(["command", "file_change", "permissions"]);
const HOUR_MS = 3_600_000;
const SETTLED_MS = 8000; // for which what was just settled stays where it was

/**
 * What waits for a decision and, for a moment and in their places, those that waited here and are
 * settled: one sees how and by whom, and no other comes under a thumb that was about to press.
 * @returns {Approval[]}
 */
export function useOpenApprovals() {
  useStore("approvals");
  // until when each is shown
  const leaving = useRef(/** @type {Map<number, number>} */ (new Map()));
  const until = leaving.current;
  const now = Date.now();
  const pending = pendingApprovals();
  for (const { id } of pending) until.set(id, Infinity);
  const settled = [...until.keys()].flatMap((id) => {
    const approval = state.approvals.get(id);
    if (approval?.status === "pending") return [];
    if (until.get(id) === Infinity) until.set(id, now + SETTLED_MS);
    if (approval && now < (until.get(id) || 0)) return [approval];
    until.delete(id);
    return [];
  });
  useTick(settled.length ? 1000 : 0);
  return [...pending, ...settled].sort((a, b) => a.id - b.id);
}

/**
 * A twin has another beside it. `children` stand with what else one may do with it.
 * @param {{approval: Approval, isTwin?: boolean, children?: any}} props
 */
export const ApprovalCard = ({ approval, isTwin, children }) => {
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  const decided = useRef(false);
  const [icon, kind] = KINDS[approval.kind] || KINDS.manual;
  const task = useTask(approval);
  const session = state.sessions.get(approval.sessionId ?? 0);
  const repo = repoOf(approval);
  const title = titleOf(approval);
  const at = `#/approvals/${approval.id}`;
  const pending = approval.status === "pending";
  useLayoutEffect(() => {
    // where the button was that is gone
    if (decided.current && !pending) focusIn(card.current, ".outcome");
  }, [pending]);
  useLayoutEffect(
    () => () => {
      if (card.current?.contains(document.activeElement)) focusIn(document.body, "main");
    },
    [],
  );
  return html`<article ref=${card} class="card approval" data-status=${approval.status}
    aria-label=${approval.title} id=${isTwin ? null : `approval-${approval.id}`}>
    <div class="approval-head">
      ${
        title
          ? html`<span class="kind"><${Icon} name=${icon} size=${18} />${kind}</span>`
          : html`<h3 class="kind"><a href=${at}><${Icon} name=${icon} size=${18} />${kind}</a></h3>`
      }
      ${
        pending && approval.expiresAt
          ? html`<${Deadline} approval=${approval} />`
          : html`<${Ago} ts=${approval.createdAt} />`
      }
    </div>
    ${title && html`<h3><a href=${at}>${title}</a></h3>`}
    <div class="note">
      ${repo && html`<a href=${`#/repos/${repo.id}`}>${placeOf(approval)}</a> · `}
      ${
        approval.sessionId
          ? html`<a href=${`#/sessions/${approval.sessionId}`}>
            ${session?.title || task?.title || `Session ${approval.sessionId}`}
          </a>`
          : task?.title
      }
      ${!approval.sessionId && !task && html`asked by ${approval.requestedBy}`}
    </div>
    <${Details} approval=${approval} />
    ${
      pending
        ? html`<${Decision} approval=${approval} onDecide=${() => (decided.current = true)}>
          ${children}
        <//>`
        : html`<${Outcome} approval=${approval} />`
    }
  </article>`;
};

/**
 * The time that is left, and an hour more where it is short.
 * @param {{approval: Approval}} props
 */
const Deadline = ({ approval }) => {
  const { busy, error, run } = useAct();
  const until = approval.expiresAt || "";
  const extend = () =>
    run("extend", async () => {
      const expiresAt = new Date(Date.parse(until) + HOUR_MS).toISOString();
      learn(
        "approvals",
        await post(`/api/approvals/${approval.id}/extend`, { expiresAt, requestedBy: ME }),
      );
    });
  const left = Date.parse(until) - Date.now();
  return html`<span class="deadline">
    <${Countdown} until=${until} />
    ${
      left > 0 &&
      left < HOUR_MS &&
      html`<button type="button" class="link" disabled=${Boolean(busy)} onClick=${extend}>
        One hour more
      </button>`
    }
    ${error && html`<span class="hint" data-bad="true" role="alert">${error.message}</span>`}
  </span>`;
};

/**
 * What is asked, in full and in the page's own words; null where its kind says it. What the agent
 * says of it stands below.
 * @param {Approval} approval
 * @returns {string | null}
 */
function titleOf({ kind, title, details }) {
  const { network, commandKind, files, questions, server, message, tool } = details;
  if (kind === "command") return network || commandKind === "writeStdin" ? title : null;
  if (kind === "file_change" && files?.length)
    return files.length === 1
      ? `Change ${basename(files[0].path)}`
      : `Change ${files.length} files`;
  if (kind === "user_input" && questions?.length)
    return questions.length === 1 ? questions[0].question : plural(questions.length, "question");
  if (kind === "elicitation" && tool) return `${server}: ${tool}`;
  if (kind === "elicitation" && message) return `${server} asks: ${message}`;
  return title;
}

/** @param {{approval: Approval}} props */
const Details = ({ approval }) => {
  const [whole, setWhole] = useState(/** @type {Approval["details"] | null} */ (null));
  const details = whole ?? approval.details;
  const rows = asked({ ...approval, details });
  if (approval.shortened.includes("details") && !whole) {
    const load = async () =>
      setWhole(
        JSON.parse(await wholeText(`/api/approvals/${approval.id}/text`, { field: "details" })),
      );
    rows.push(html`<${Shortened} what="What is asked" load=${load} />`);
  }
  return rows.length ? html`<div class="stack">${rows}</div>` : null;
};

/**
 * What Codex or the policy asks for: the thing itself first, then what to heed, then what the agent
 * says of it, as its words, then the rest.
 * @param {Approval} approval
 */
function asked(approval) {
  const { kind, risks, details: d } = approval;
  const command = kind === "command" && (d.script || d.command);
  const subject = command
    ? html`<div class="subject"><${Code} text=${seen(command)} label="Command" /></div>`
    : html`<${Subject} approval=${approval} />`;
  if (kind === "manual") return Object.keys(d).length ? [subject] : [];
  return [
    subject,
    ...(risks.length
      ? [html`<${Risks} risks=${risks} />`]
      : command
        ? [html`<p class="hint">No risk was recognized. That is no promise.</p>`]
        : []),
    ...heedsOf(d),
    ...wordsOf(approval),
    ...factsOf(approval),
  ];
}

/** @type {Record<string, string>} */
const RISKS = {
  deletes: "Deletes",
  network: "Uses the network",
  pipes_into_shell: "Runs what it is piped",
  outside_folder: "Outside the folder",
  secrets: "Secrets",
  unreadable: "Could not be read",
};

/** What is risky in it, and by which words. @param {{risks: Approval["risks"]}} props */
const Risks = ({ risks }) => html`<ul class="risks" aria-label="Risks">
  ${risks.map(
    ({ kind, words }) => html`<li data-kind=${kind}>
      <b>${RISKS[kind] || Words(kind)}</b> <code>${seen(words)}</code>
    </li>`,
  )}
</ul>`;

/** What goes beyond its run's leave. @param {Approval["details"]} d */
function heedsOf(d) {
  const rows = [];
  if (d.additionalPermissions)
    rows.push(
      html`<dl class="facts">
        <dt>With more permissions</dt>
        <dd><code>${seen(JSON.stringify(d.additionalPermissions))}</code></dd>
      </dl>`,
    );
  if (d.grantRoot)
    rows.push(html`<p>It wants to write anywhere in <code>${seen(d.grantRoot)}</code>.</p>`);
  for (const said of d.beyondRun || [])
    rows.push(
      html`<p class="beyond">
        <${Icon} name="warning" size=${18} />
        <span>Beyond what its run may do: ${said}</span>
      </p>`,
    );
  return rows;
}

/** What others say of it, quoted as theirs. @param {Approval} approval */
function wordsOf({ kind, details: d }) {
  const rows = [];
  const agent = d.subAgent ? "A sub-agent" : "Codex";
  if (d.reason && kind !== "run") rows.push(html`<${Quoted} who=${agent} words=${d.reason} />`);
  if (d.tool && d.message) rows.push(html`<${Quoted} who=${d.server} words=${d.message} />`);
  if (d.toolDescription)
    rows.push(html`<${Quoted} who=${`${d.server}, of the tool`} words=${d.toolDescription} />`);
  return rows;
}

/** @param {{who: string, words: string}} props */
const Quoted = ({ who, words }) => html`<figure class="quoted">
  <figcaption>${who} says</figcaption>
  <blockquote>${words}</blockquote>
</figure>`;

/** Where, and how. @param {Approval} approval */
function factsOf(approval) {
  const d = approval.details;
  const rows = [];
  if (d.cwd && approval.kind !== "run")
    rows.push(
      html`<dl class="facts">
        <dt>Where</dt>
        <dd><code title=${d.cwd}>${seen(d.cwd)}</code></dd>
      </dl>`,
    );
  if (d.script && d.command && d.script !== d.command)
    rows.push(
      html`<details class="fold aside">
        <summary>The whole command line</summary>
        <${Code} text=${seen(d.command)} />
      </details>`,
    );
  if (d.delivery === "async")
    rows.push(
      html`<p class="hint">Codex works on meanwhile. It is told the answer as a message.</p>`,
    );
  if (d.subAgent)
    rows.push(
      html`<p class="hint">
        ${d.agent ? html`The sub-agent <code>${d.agent}</code>` : "A sub-agent of the session"}
        ${" "}
        asks.
      </p>`,
    );
  return rows;
}

/** Whether a yes gives more than its run got, as the server sees it. @param {Approval} approval */
export const goesBeyond = ({ kind, details: d }) =>
  kind !== "manual" &&
  Boolean(
    kind === "permissions" ||
    (kind === "run" && d.sandbox === "danger-full-access") ||
    d.beyondRun ||
    d.additionalPermissions ||
    d.grantRoot,
  );

/** The kinds whose refusal has the run go on without what was asked for. */
const LEAVES_OUT = new Set(["trust", "setup"]);

/** @param {Element | null} place @param {string} selector */
const focusIn = (place, selector) =>
  /** @type {HTMLElement | null | undefined} */ (place?.querySelector(selector))?.focus({
    preventScroll: true,
  });

/** @param {{approval: Approval, onDecide: () => void, children?: any}} props */
const Decision = ({ approval, onDecide, children }) => {
  const { busy, error, run } = useAct();
  const [scope, setScope] = useState("once");
  const [note, setNote] = useState("");
  const [noting, setNoting] = useState(false);
  const [answers, setAnswers] = useState(/** @type {Record<string, any> | null} */ (null));
  const [isSure, setSure] = useState(false);
  const asks = wantsWords(approval);
  const isBeyond = goesBeyond(approval);
  const mayLast =
    FOR_SESSION.has(approval.kind) ||
    (approval.kind === "elicitation" && approval.details.forSession);
  /** @param {"approved" | "rejected"} status @param {NewRule} [rule] */
  const decide = (status, rule) =>
    run(status, async () => {
      const body = { status, resolvedBy: ME, resolutionNote: note || undefined, rule };
      if (status === "approved" && mayLast) Object.assign(body, { scope });
      if (status === "approved" && asks) Object.assign(body, { answers });
      onDecide();
      try {
        learn("approvals", await settle(approval.id, body));
      } catch (failure) {
        refresh("approvals", approval.id); // somebody else may have been first
        throw failure;
      }
    });
  return html`<div class="decision">
    ${asks && html`<${Questions} approval=${approval} onAnswer=${setAnswers} />`}
    ${
      mayLast &&
      html`<${Choice} label="How far it reaches" value=${scope} onChange=${setScope}
        options=${[
          ["once", "Just once"],
          ["session", "For this session"],
        ]} />`
    }
    ${
      noting &&
      html`<label class="note-field">
        <span>Note</span>
        <input value=${note} maxlength="2000" ref=${focused}
          onInput=${(/** @type {any} */ e) => setNote(e.currentTarget.value)} />
      </label>`
    }
    <div class="inbox-acts">
      ${children}
      ${
        !noting &&
        html`<button type="button" class="link" onClick=${() => setNoting(true)}>
          Add a note
        </button>`
      }
      ${
        approval.details.alwaysAllow &&
        html`<${AlwaysAllow} approval=${approval} busy=${busy}
          onAllow=${(/** @type {NewRule} */ rule) => decide("approved", rule)} />`
      }
    </div>
    <${Problem} error=${error} />
    ${
      isSure
        ? html`<p>This gives more than its run got. Approve it all the same?</p>
          <div class="actions two">
            <${Button} kind="approve" icon="check" busy=${busy === "approved"}
              disabled=${Boolean(busy)} onClick=${() => decide("approved")}>
              Approve beyond its run
            <//>
            <button type="button" class="button" ref=${focused} onClick=${() => setSure(false)}>
              Not now
            </button>
          </div>`
        : html`<div class="actions two">
          <${Button} kind="reject" icon="cross" busy=${busy === "rejected"}
            disabled=${Boolean(busy)} onClick=${() => decide("rejected")}>
            ${asks ? "Decline" : LEAVES_OUT.has(approval.kind) ? "Leave out" : "Reject"}
          <//>
          <${Button} kind="approve" icon="check" busy=${busy === "approved"}
            disabled=${Boolean(busy) || (asks && !answers)}
            onClick=${() => (isBeyond ? setSure(true) : decide("approved"))}>
            ${asks ? "Answer" : approval.kind === "trust" ? "Trust" : "Approve"}${isBeyond && "…"}
          <//>
        </div>`
    }
  </div>`;
};

/**
 * Settle it; with a passkey, where the server takes no less.
 * @param {number} id @param {any} decision
 */
export const settle = (id, decision) =>
  post(`/api/approvals/${id}/resolve`, decision).catch(async (failure) => {
    if (failure.status !== 403) throw failure;
    return (await import("../passkeys.js")).decide(id, decision);
  });

/**
 * Whether it wants more than a yes: answers, or a form that has fields.
 * @param {Approval} approval
 */
export const wantsWords = ({ kind, details }) =>
  kind === "user_input" ||
  (kind === "elicitation" &&
    !details.url &&
    Object.keys(details.schema?.properties || {}).length > 0);

/** @param {{approval: Approval}} props */
const Outcome = ({ approval }) => html`<div class="outcome" tabindex="-1">
  <${Badge} status=${approval.status} />
  <span>
    ${approval.resolvedBy && html`by <b>${approval.resolvedBy}</b> `}
    <${Ago} ts=${approval.resolvedAt} />
    ${approval.scope === "session" && " · for the session"}
    ${approval.resolutionNote && html` · “${approval.resolutionNote}”`}
  </span>
</div>`;
