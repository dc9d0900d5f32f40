// @ts-check
// A session as it is told: messages as they stream, commands with their output folded, changes as
// diffs.
import { duration, plural, script, seen, within, Words } from "../format.js";
import { Component, html, useState } from "../html.js";
import { sheet } from "../sheets.js";
import { Shown } from "./attachments.js";
import { Button, Code, Problem, useAct } from "./basics.js";
import { Diff } from "./diff.js";
import { Icon } from "./icon.js";
import { Prose } from "./prose.js";
import { NO_REMARKS } from "./remarks.js";
import { Shortened } from "./shortened.js";

sheet("./styles/session.css");

/** @import { Entry } from "../transcripts.js" */
/** @import { Remarks } from "./remarks.js" */
/** @typedef {"running" | "waits for you" | "in the background" | "cut off" | "done"} Stage */

const WINDOW = 120; // entries in the page at once
const OUTPUT = 20_000; // characters of a command's output that are shown at first

/**
 * Paths below the session's folder `cwd` are shown from there; `asked` are the items that wait for
 * a person. What is not done is cut off where the session `isOver`, but for the commands that it
 * has left. There may be earlier entries that are not loaded.
 * @param {{entries: Entry[], hasEarlier: boolean, loadEarlier: () => Promise<void>, cwd: string,
 * asked: Set<string>, remarks?: Remarks, isOver: boolean, label?: string,
 * loadWhole: (entry: Entry) => Promise<void>}} props
 */
export const Transcript = ({
  entries,
  hasEarlier,
  loadEarlier,
  cwd,
  asked,
  remarks = NO_REMARKS,
  isOver,
  label = "Transcript",
  loadWhole,
}) => {
  const [shown, setShown] = useState(WINDOW);
  const { busy, error, run } = useAct();
  const hidden = Math.max(0, entries.length - shown);
  const more = () =>
    run("earlier", async () => {
      if (hidden < 2 * WINDOW && hasEarlier) await loadEarlier();
      setShown(shown + 2 * WINDOW);
    });
  /** @param {Entry} entry @returns {Stage} */
  const stageOf = (entry) => {
    if (entry.done) return "done";
    if (asked.has(entry.key)) return "waits for you";
    if (!isOver) return "running";
    return remarks.left.has(entry.key) && !entry.lost ? "in the background" : "cut off";
  };
  return html`<ol class="transcript" aria-label=${label}>
    ${
      (hidden > 0 || hasEarlier) &&
      html`<li>
        <${Problem} error=${error} />
        <${Button} kind="quiet wide" busy=${busy} onClick=${more}>
          Show${" "}
          ${
            hasEarlier
              ? "earlier entries"
              : plural(Math.min(hidden, 2 * WINDOW), "earlier entry", "earlier entries")
          }
        <//>
      </li>`
    }
    ${entries.slice(hidden).map(
      (
        entry,
      ) => html`<${EntryView} key=${entry.key} entry=${entry} version=${entry.version} cwd=${cwd}
        note=${remarks.notes.get(entry.key)} stage=${stageOf(entry)} loadWhole=${loadWhole} />`,
    )}
  </ol>`;
};

/** An entry renders again only when it has changed. */
class EntryView extends Component {
  /**
   * @param {{version: number, entry: Entry, stage: Stage, note?: string,
   * loadWhole: (entry: Entry) => Promise<void>}} next
   */
  shouldComponentUpdate(next) {
    const { version, entry, stage, note } = this.props;
    return (
      next.version !== version || next.entry !== entry || next.stage !== stage || next.note !== note
    );
  }

  render() {
    const { entry, cwd, stage, note, loadWhole } = this.props;
    const show = VIEWS[entry.type] || Other;
    const body = show(entry, stage, cwd);
    return (
      body &&
      html`<li class="entry" data-type=${entry.type} data-done=${entry.done}>
        ${body}
        ${entry.shortened && html`<${Shortened} what="This" load=${() => loadWhole(entry)} />`}
        ${
          note && html`<p class="remark"><${Icon} name="lock" size=${15} /><span>${note}</span></p>`
        }
      </li>`
    );
  }
}

/** @param {Entry} entry */
const said = (entry) => (entry.body.text ?? "") || (entry.cut ? `… ${entry.text}` : entry.text);

/** @param {Entry} entry */
function UserMessage(entry) {
  const parts = entry.body.content || [];
  const text =
    entry.body.text ||
    parts
      .filter((/** @type {any} */ p) => p.type !== "localImage")
      .map((/** @type {any} */ p) => p.text || `[${p.type}]`)
      .join("\n");
  return html`
    <div class="bubble"><span class="visually-hidden">You said</span><${Prose} text=${text} />
      ${parts
        .filter((/** @type {any} */ p) => p.type === "localImage")
        .map((/** @type {any} */ p) => html`<${Shown} path=${p.path} />`)}
    </div>
  `;
}

/** @param {Entry} entry @param {Stage} stage */
function AgentMessage(entry, stage) {
  const text = stage === "cut off" ? `${said(entry).replace(/[\s…]+$/, "")} …` : said(entry);
  return html`<div class="agent">
    <span class="visually-hidden">Codex said</span>
    <${Prose} text=${text} isGrowing=${stage === "running"} />
    ${stage === "running" && html`<i class="caret"></i>`}
  </div>`;
}

/** A plan that Codex proposes. @param {Entry} entry @param {Stage} stage */
const Plan = (entry, stage) => html`<b>Plan</b>${AgentMessage(entry, stage)}`;

/** @param {Entry} entry */
function Reasoning(entry) {
  const parts = [...(entry.body.summary || []), ...(entry.body.content || [])].map((p) =>
    typeof p === "string" ? p : p.text || "",
  );
  const text = parts.join("\n\n") || entry.text;
  if (!text.trim()) return null;
  return html`
    <details class="fold reasoning"><summary>Thinking</summary><${Prose} text=${text} /></details>
  `;
}

/** @param {Entry} entry @param {Stage} stage */
function Command(entry, stage) {
  const { command = "", exitCode, durationMs, aggregatedOutput, status, cwd } = entry.body;
  const output = aggregatedOutput ?? entry.text;
  const failed =
    (exitCode !== undefined && exitCode !== null && exitCode !== 0) || status === "failed";
  const mark =
    stage !== "done" ? stage : status === "declined" ? "declined" : failed ? "failed" : "done";
  return html`<details class="tool" data-mark=${mark}>
    <summary title=${cwd}>
      <${Icon} name="command" size=${17} />
      <code>${seen(script(Array.isArray(command) ? command.join(" ") : command))}</code>
      <span class="mark">
        ${
          !["done", "failed"].includes(mark)
            ? mark
            : exitCode
              ? `exit ${exitCode}`
              : durationMs > 1000
                ? duration(durationMs / 1000)
                : ""
        }
      </span>
    </summary>
    <${Output} text=${output || ""} />
  </details>`;
}

/** @param {{text: string}} props */
const Output = ({ text }) => {
  const [all, setAll] = useState(false);
  if (!text) return html`<p class="hint">No output.</p>`;
  const cut = !all && text.length > OUTPUT;
  return html`
    ${
      cut &&
      html`<button type="button" class="link" onClick=${() => setAll(true)}>
        Show all of the output
      </button>`
    }
    <${Code} text=${cut ? text.slice(-OUTPUT) : text} label="Output" />
  `;
};

/** @param {Entry} entry @param {Stage} stage @param {string} folder */
function FileChange(entry, stage, folder) {
  const changes = entry.body.changes || [];
  const diff = changes.map((/** @type {any} */ c) => diffOfChange(c, folder)).join("\n");
  return html`
    <div class="tool-head">
      <${Icon} name="file" size=${17} />
      ${
        entry.body.status === "declined"
          ? "Declined to change"
          : stage === "done"
            ? "Changed"
            : stage === "cut off"
              ? "Was changing"
              : "Changing"
      } ${plural(changes.length, "file")}
    </div>
    ${diff && html`<${Diff} text=${diff} />`}
  `;
}

/**
 * Codex gives hunks for an update, the plain content for a new or a deleted file.
 * @param {any} change
 * @param {string} folder
 */
function diffOfChange(change, folder) {
  const kind = change.kind?.type || change.kind;
  const text = (change.diff || "").replace(/\n$/, "");
  const lines = text.split("\n");
  const whole = (/** @type {string} */ sign, /** @type {string} */ spans) =>
    text && `@@ ${spans} @@\n${lines.map((/** @type {string} */ line) => sign + line).join("\n")}`;
  const body =
    kind === "add"
      ? whole("+", `-0,0 +1,${lines.length}`)
      : kind === "delete"
        ? whole("-", `-1,${lines.length} +0,0`)
        : text;
  const [name, target] = [change.path, change.kind?.move_path || change.path].map((path) =>
    within(path, folder).replace(/^[\\/]/, ""),
  );
  const hunks = body.startsWith("---") ? body.split("\n").slice(2).join("\n") : body;
  return `diff --git a/${name} b/${target}\n--- a/${name}\n+++ b/${target}\n${hunks}`;
}

/** @param {Entry} entry @param {Stage} stage */
function Tool(entry, stage) {
  const { server, tool, arguments: given, result, error, status } = entry.body;
  return html`<details class="tool"
    data-mark=${stage !== "done" ? stage : error || status === "failed" ? "failed" : "done"}>
    <summary>
      <${Icon} name="runtime" size=${17} />
      <code>${[server, tool].filter(Boolean).join(" · ")}</code>
    </summary>
    <${Code} text=${JSON.stringify(given, null, 2)} label="Arguments" />
    ${
      (result || error) &&
      html`<${Code} text=${JSON.stringify(error || result, null, 2)} label="Result" />`
    }
  </details>`;
}

/**
 * What is said to sub-agents, and what they say at the end; the rest is in threads of their own.
 * @param {Entry} entry
 * @param {Stage} stage
 */
function Agents(entry, stage) {
  const { tool, prompt, agentsStates, status } = entry.body;
  return html`<details class="tool"
    data-mark=${stage !== "done" ? stage : status === "failed" ? "failed" : "done"}>
    <summary>
      <${Icon} name="runtime" size=${17} />
      <span>${Words(tool)}${prompt && `: ${prompt.split("\n")[0]}`}</span>
    </summary>
    ${prompt && html`<${Prose} text=${prompt} />`}
    ${Object.values(agentsStates || {}).map(
      (state) => html`
        <p class="hint">${Words(state.status)}</p>
        ${state.message && html`<${Prose} text=${state.message} />`}
      `,
    )}
  </details>`;
}

/** Of multi-agent v2: that a sub-agent began, was told something, or ended. @param {Entry} entry */
function Activity(entry) {
  const { kind, agentPath } = entry.body;
  return html`<div class="tool-head">
    <${Icon} name="runtime" size=${17} />
    <span>Sub-agent <code>${agentPath}</code> ${kind}</span>
  </div>`;
}

/** @param {Entry} entry */
function Search(entry) {
  return html`<div class="tool-head">
    <${Icon} name="search" size=${17} /> Searched the web for “${entry.body.query}”
  </div>`;
}

/** @param {Entry} entry */
function Other(entry) {
  return html`<details class="tool" data-mark="done">
    <summary><${Icon} name="more" size=${17} /><span>${Words(entry.type)}</span></summary>
    <${Code} text=${JSON.stringify(entry.body, null, 2)} />
  </details>`;
}

/** @type {Record<string, (entry: Entry, stage: Stage, folder: string) => any>} */
const VIEWS = {
  userMessage: UserMessage,
  agentMessage: AgentMessage,
  plan: Plan,
  reasoning: Reasoning,
  commandExecution: Command,
  fileChange: FileChange,
  mcpToolCall: Tool,
  dynamicToolCall: Tool,
  collabAgentToolCall: Agents,
  subAgentActivity: Activity,
  webSearch: Search,
};
