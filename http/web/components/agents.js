// @ts-check
// The sub-agents of a session as a tree, each with its own transcript folded under it.
import { every, wholeText } from "../api.js";
import { number } from "../format.js";
import { html, useState } from "../html.js";
import { sheet } from "../sheets.js";
import { ENDED, useStore } from "../store.js";
import { loadEarlierItems, loadWhole, openTranscript, transcriptOf } from "../transcripts.js";
import { Badge, Loading, Problem, useLoaded } from "./basics.js";
import { Diff } from "./diff.js";
import { Icon } from "./icon.js";
import { Shortened } from "./shortened.js";
import { Transcript } from "./transcript.js";

sheet("./styles/session.css");

/** @import { Agent, Session } from "../openapi.js" */
/** @import { Entry } from "../transcripts.js" */
/** @import { Remarks } from "./remarks.js" */
/**
 * @typedef {{session: Session, asked: Set<string | null>, remarks: Remarks}} Of `asked` are the
 * items that wait for a person.
 */

/** @param {Of} props */
export const Agents = ({ session, asked, remarks }) => {
  const version = useStore(`agents:${session.id}`, "reloaded");
  const [agents, error] = useLoaded(
    () => every(`/api/sessions/${session.id}/agents`, { diff: false }),
    [session.id],
    version,
  );
  if (error) return html`<${Problem} error=${error} />`;
  if (!agents?.length) return null;
  return html`<section class="agents" aria-label="Sub-agents">
    <h2 class="section">Sub-agents</h2>
    <${Tree} agents=${agents} parent=${null} session=${session} asked=${asked} remarks=${remarks} />
  </section>`;
};

/** What each sub-agent has changed. @param {{session: Session}} props */
export const AgentChanges = ({ session }) => {
  const { id } = session;
  const version = useStore(`agents:${id}`, "reloaded");
  const [agents] = useLoaded(() => every(`/api/sessions/${id}/agents`, {}), [id], version);
  const theirs = agents?.filter(({ diff }) => diff) || [];
  return html`
    ${theirs.map(
      (agent) => html`
        <h3 class="section" key=${agent.id}>By ${nameOf(agent)}</h3>
        <${DiffOf} agent=${agent} />
      `,
    )}
  `;
};

/** What a sub-agent has changed. @param {{agent: Agent}} props */
const DiffOf = ({ agent }) => {
  const [whole, setWhole] = useState({ of: "", text: "" });
  const isShortened = agent.shortened.includes("diff") && whole.of !== agent.updatedAt;
  const load = async () =>
    setWhole({
      of: agent.updatedAt,
      text: await wholeText(`/api/agents/${agent.id}/text`, { field: "diff" }),
    });
  return html`
    <${Diff} text=${whole.of === agent.updatedAt ? whole.text : agent.diff} />
    ${isShortened && html`<${Shortened} what="The diff" load=${load} />`}
  `;
};

/** @param {Agent} agent */
const nameOf = (agent) => agent.path?.split("/").at(-1) || agent.name || `sub-agent ${agent.id}`;

/**
 * Those that one has started, or with `parent` null the session itself.
 * @param {Of & {agents: Agent[], parent: number | null}} props
 */
const Tree = ({ agents, parent, session, asked, remarks }) => {
  const started = agents.filter((agent) => agent.parentId === parent);
  return (
    started.length > 0 &&
    html`<ul class="agent-tree">
      ${started.map(
        (agent) => html`<li key=${agent.id}>
          <${Branch} agent=${agent} session=${session} asked=${asked} remarks=${remarks} />
          <${Tree} agents=${agents} parent=${agent.id} session=${session} asked=${asked}
            remarks=${remarks} />
        </li>`,
      )}
    </ul>`
  );
};

/**
 * One of them; what it said and did is loaded once it is looked at.
 * @param {Of & {agent: Agent}} props
 */
const Branch = ({ agent, session, asked, remarks }) => {
  const [isOpen, setOpen] = useState(false);
  const tokens =
    session.tokenUsage?.agents?.[agent.threadId] ?? agent.tokenUsage?.total?.totalTokens;
  const said = agent.status === "running" ? agent.prompt : agent.lastMessage || agent.prompt;
  return html`
    <details class="tool branch"
      onToggle=${(/** @type {any} */ e) => setOpen(e.currentTarget.open)}>
      <summary title=${agent.path || agent.threadId}>
        <${Icon} name="runtime" size=${17} />
        <span class="who">
          <b>${nameOf(agent)}</b>
          ${said && html` <span class="hint">${said.split("\n")[0]}</span>`}
        </span>
        <span class="mark">
          ${[agent.model, tokens !== undefined && `${number(tokens)} tokens`]
            .filter(Boolean)
            .join(" · ")}
        </span>
        <${Badge} status=${agent.status} />
      </summary>
      ${
        isOpen &&
        html`<${Told} agent=${agent} session=${session} asked=${asked} remarks=${remarks} />`
      }
    </details>
  `;
};

/** @param {Of & {agent: Agent}} props */
const Told = ({ agent, session, asked, remarks }) => {
  useStore(`session:${session.id}`);
  const transcript = transcriptOf(session.id, agent.id);
  const [, error] = useLoaded(
    () => openTranscript(session.id, agent.id),
    [agent.id, transcript === undefined],
  );
  if (!transcript?.ready) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  const entries = [...transcript.entries.values()];
  const isOver = agent.status !== "running" || ENDED.has(session.status);
  return html`
    ${!entries.length && html`<p class="hint">Nothing was said.</p>`}
    <${Transcript} entries=${entries} hasEarlier=${Boolean(transcript.earlierItems)}
      loadEarlier=${() => loadEarlierItems(session.id, agent.id)} cwd=${session.cwd} asked=${asked}
      remarks=${remarks} isOver=${isOver}
      loadWhole=${(/** @type {Entry} */ entry) => loadWhole(session.id, entry)}
      label=${`Transcript of ${agent.path || agent.name || agent.id}`} />
  `;
};
