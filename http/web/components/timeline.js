// @ts-check
// Every stored event of a session, with who did it; the newest first.
/** @import { Event } from "../openapi.js" */
import {
  basename,
  clock,
  dayAndTime,
  duration,
  exact,
  plain,
  script,
  seen,
  Words,
  words,
} from "../format.js";
import { ApiError } from "../api.js";
import { Component, html } from "../html.js";
import { Problem } from "./basics.js";

const STEP = 100;
const MOST = 300; // events in the page at once
const NEAR = "300px 0px"; // how far from an end of them more are shown

/** Why Codex began a turn that nobody asked for here. @type {Record<string, string>} */
const CAUSES = {
  goal: "Codex began it for the goal",
  message: "a message was sent to Codex elsewhere",
  command: "a command was run by hand elsewhere",
};

/** @type {Record<string, (data: any) => string>} */
const SAID = {
  "session.queued": (d) =>
    d.writingSessionId
      ? `session ${d.writingSessionId} is writing in its folder`
      : "waits for its turn",
  "session.item": (d) => `${gist(d)}${d.agentId ? ", by a sub-agent" : ""}`,
  "session.item.cut_off": (d) => `${Words(d.type)}, whose end nobody heard`,
  "session.agent.started": (d) => d.path || d.name || (d.prompt || "").split("\n")[0],
  "session.agent.ended": (d) => [d.path || d.name, words(d.status)].filter(Boolean).join(" · "),
  "session.steer.requested": (d) => `“${d.message}”`,
  "session.stop.requested": (d) => d.reason || "",
  "session.turn.settled": (d) =>
    d.interrupted ? "It still ran, and was interrupted." : "It ran no more.",
  "session.turn.abandoned": (d) => `on ${d.host}`,
  "session.renamed": (d) => `“${d.title}”`,
  "session.warning": (d) => d.message,
  "session.stalled": (d) => `silent for ${duration(d.silentSeconds)}`,
  "session.auto_review": (d) =>
    [words(d.decision), d.rationale, d.hook && `by the hook in ${d.hook}`]
      .filter(Boolean)
      .join(" · "),
  "session.command.unasked": (d) => `your rules allow ${d.rules.join(", ")}: ${d.command}`,
  "session.tool.unasked": (d) => `${d.setting} allows ${d.server}: ${d.tool}`,
  "session.command.elsewhere": (d) => `run by hand, without a sandbox: ${d.command}`,
  "session.command.outside": (d) => `in ${d.cwd}: ${d.command}`,
  "session.commands.left": (d) =>
    d.commands.map((/** @type {any} */ left) => left.command).join(" · "),
  "session.turn.started": (d) => `turn ${d.number}, for its goal`,
  "session.goal.requested": (d) =>
    d.cleared
      ? "taken away"
      : [words(d.status || ""), d.objective && `“${d.objective}”`].filter(Boolean).join(" · "),
  "session.goal.updated": (d) => `${words(d.status)} · “${d.objective}”`,
  "session.turn.adopted": (d) => CAUSES[d.cause] || "",
  "session.turn.found": (d) =>
    [CAUSES[d.cause], `it had ended before it was seen: ${words(d.outcome)}`]
      .filter(Boolean)
      .join(" · "),
  "session.request.refused": (d) => d.method,
  "session.followup.queued": (d) => (d.message ? `“${d.message}”` : ""),
  "session.followup.changed": (d) => `“${d.message}”`,
  "session.followup.cancelled": (d) => `“${d.message}”`,
  "approval.requested": (d) => d.title,
  "approval.allowed": (d) => `rule ${d.ruleId} always allows ${d.rule}: ${d.title}`,
  "approval.extended": (d) => `until ${dayAndTime(d.expiresAt)}`,
  "approval.resolved": (d) => [d.status, d.note && `“${d.note}”`].filter(Boolean).join(" · "),
};

/** @type {Record<string, (item: any) => string | undefined>} */
const GISTS = {
  commandExecution: ({ command }) => script([command].flat().join(" ")),
  fileChange: ({ changes }) => changes?.map((/** @type {any} */ c) => basename(c.path)).join(", "),
  mcpToolCall: ({ server, tool }) => `${server} · ${tool}`,
  webSearch: ({ query }) => query,
};
const GIST = 160; // characters of one

/**
 * What an item is, and what it did; what was said stands in the transcript.
 * @param {{type: string, item?: any}} data
 */
function gist({ type, item }) {
  const [said] = plain(seen((item && GISTS[type]?.(item)) || "").slice(0, 4 * GIST)).split("\n");
  const shown = said.length > GIST ? `${said.slice(0, GIST)}…` : said;
  return [Words(type), shown].filter(Boolean).join(": ");
}

/** @param {Event} event */
export function sentence(event) {
  const data = event.data || {};
  const said = SAID[event.type]?.(data);
  if (said) return said;
  if (data.exitReason) return data.exitReason;
  if (data.reason && typeof data.reason === "string") return data.reason;
  return data.from && data.to ? `${words(data.from)} → ${words(data.to)}` : "";
}

/**
 * @typedef {{events: Event[], hasEarlier: boolean, loadEarlier: () => Promise<void>}} Props
 * @typedef {{top: number | null, bottom: number | null, isLoading: boolean, error: ApiError |
 * null}} State
 */

/**
 * The newest first. A part of them is in the page, and moves along as its reader scrolls: it begins
 * with the event `top`, or with the newest there is, and ends with the event `bottom`, or after a
 * step.
 * @extends {Component<Props, State>}
 */
export class Timeline extends Component {
  /** @type {State} */
  state = { top: null, bottom: null, isLoading: false, error: null };
  list = /** @type {{current: HTMLElement | null}} */ ({ current: null });
  ends = /** @type {Map<Element, () => void>} */ (new Map());
  /** @type {IntersectionObserver | null} */
  watcher = null;

  /** The first and the last of `events` that are shown. @returns {[number, number]} */
  part() {
    const { events } = this.props;
    const { top, bottom } = this.state;
    const at = (/** @type {number | null} */ id) =>
      events.findLastIndex((event) => event.id === id);
    const last = top === null ? events.length - 1 : at(top);
    const first = bottom === null ? last - STEP + 1 : at(bottom);
    return [Math.max(0, first, last - MOST + 1), last];
  }

  /**
   * Show from one to another; at most as many as may be in the page.
   * @param {number} first
   * @param {number} last
   */
  show(first, last) {
    const { events } = this.props;
    const isNewest = last >= events.length - 1;
    this.setState({
      top: isNewest ? null : events[last].id,
      bottom: events[Math.max(0, first)].id,
    });
  }

  earlier = async () => {
    if (this.part()[0] === 0 && this.props.hasEarlier) {
      if (this.state.isLoading) return;
      this.setState({ isLoading: true, error: null });
      try {
        await this.props.loadEarlier();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.setState({ error });
        return;
      } finally {
        this.setState({ isLoading: false });
      }
    }
    const [first, last] = this.part();
    if (first > 0) this.show(first - STEP, Math.min(last, Math.max(0, first - STEP) + MOST - 1));
  };

  later = () => {
    const [first, last] = this.part();
    this.show(Math.max(first, last + STEP - MOST + 1), last + STEP);
  };

  componentDidMount() {
    this.watcher = new IntersectionObserver(
      (seen) => {
        for (const { isIntersecting, target } of seen)
          if (isIntersecting && !this.state.error) this.ends.get(target)?.();
      },
      { rootMargin: NEAR, scrollMargin: NEAR },
    );
    this.watch();
  }

  componentWillUnmount() {
    this.watcher?.disconnect();
  }

  /** Look anew whether an end of what is shown is near. */
  watch() {
    this.watcher?.disconnect();
    for (const end of this.ends.keys()) this.watcher?.observe(end);
  }

  /** What its reader looks at stays where it is, whatever comes or goes above. */
  getSnapshotBeforeUpdate() {
    const rows = [...(this.list.current?.children || [])];
    if (!rows.length || rows[0].getBoundingClientRect().top >= 0) return null;
    const row = rows.find((candidate) => candidate.getBoundingClientRect().bottom > 0);
    return row ? { row, y: row.getBoundingClientRect().top } : null;
  }

  /** @param {unknown} _ @param {unknown} __ @param {{row: Element, y: number} | null} seen */
  componentDidUpdate(_, __, seen) {
    if (seen?.row.isConnected) {
      const moved = seen.row.getBoundingClientRect().top - seen.y;
      if (moved) scrollerOf(seen.row).scrollBy(0, moved);
    }
    this.watch();
  }

  /** @param {() => void} reached */
  end(reached) {
    /** @type {Element | null} */
    let mine = null;
    return (/** @type {Element | null} */ element) => {
      if (element) this.ends.set((mine = element), reached);
      else if (mine) this.ends.delete(mine);
    };
  }

  atEarlier = this.end(this.earlier);
  atLater = this.end(this.later);

  render() {
    const { events, hasEarlier } = this.props;
    const { isLoading, error } = this.state;
    const [first, last] = this.part();
    return html`<div>
      ${
        last < events.length - 1 &&
        html`
          <button type="button" class="button quiet wide" ref=${this.atLater} onClick=${this.later}>
            Show later
          </button>
        `
      }
      <ol class="timeline" aria-label="Timeline" ref=${this.list}>
        ${events
          .slice(first, last + 1)
          .reverse()
          .map(
            (event) => html`<li key=${event.id} data-thing=${event.type.split(".").at(-1)}>
              <time title=${exact(event.ts)}>${clock(new Date(event.ts))}</time>
              <div>
                <b>${event.type}</b> <span class="actor">${event.actor}</span>
                <div class="said">${sentence(event)}</div>
              </div>
              <span class="no">#${event.id}</span>
            </li>`,
          )}
      </ol>
      <${Problem} error=${error} />
      ${
        (first > 0 || hasEarlier) &&
        html`
          <button type="button" class="button quiet wide" aria-busy=${isLoading}
            ref=${this.atEarlier} onClick=${this.earlier}>
            Show earlier
          </button>
        `
      }
    </div>`;
  }
}

/**
 * What scrolls it: the column beside a transcript, or else the page.
 * @param {Element} element
 * @returns {Element}
 */
function scrollerOf(element) {
  for (let at = element.parentElement; at; at = at.parentElement)
    if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY))
      return at;
  return document.documentElement;
}
