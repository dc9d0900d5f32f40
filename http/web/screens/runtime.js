// @ts-check
// Runtime: the tree of actors as it is now, what each does, and what an operator may do to it.
import { get, ME, post } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Code,
  Dialog,
  Field,
  focused,
  Head,
  lazily,
  Loading,
  Problem,
  Switch,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { Backups } from "../components/backups.js";
import { Doctor } from "../components/doctor.js";
import { duration, number, plural, Words } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { go, useParam } from "../router.js";
import { state, useStore } from "../store.js";

const Settings = lazily(() => import("../components/settings.js"), "Settings");

/** @typedef {"suspend" | "resume" | "drain" | "restart" | "stop"} Action */

/** @type {Set<Action>} */
const CAREFUL = new Set(["drain", "restart", "stop"]);

/** @param {{path: string}} props */
export const Runtime = ({ path }) => {
  const [shown] = useParam("show");
  if (shown === "settings") return html`<${Settings} />`;
  return shown === "doctor" ? html`<${Doctor} />` : html`<${Actors} path=${path} />`;
};

/** @param {{path: string}} props */
const Actors = ({ path }) => {
  const version = useStore("runtime", "sessions");
  const [beats, setBeats] = useState(false);
  const [tree, error, again] = useLoaded(() => get("/api/runtime"), [], version);
  return html`
    <${Head} title="Runtime"
      note=${
        tree &&
        `${plural(tree.actors.length, "actor")}, ${plural(tree.deadLetters.total, "dead letter")}`
      }>
      <a class="button" href="#/runtime?show=doctor">Doctor</a>
      <${Watching} on=${beats} onChange=${setBeats} beat=${again} />
      <${Button} icon="refresh" onClick=${again}>Look again<//>
    <//>
    <${Problem} error=${error} />
    ${
      !tree
        ? html`<${Loading} />`
        : html`<div class="columns">
          <section aria-labelledby="tree">
            <h2 id="tree" class="section">The tree</h2>
            <ul class="rows tree">
              ${tree.actors.map(
                (a) => html`<li key=${a.path}>
                  <a class="row" href=${`#/runtime${a.path === "/" ? "" : a.path}`}
                    data-depth=${Math.min(4, a.path === "/" ? 0 : a.path.split("/").length - 1)}>
                    <div class="row-main">
                      <div class="row-title">
                        <code>${a.path === "/" ? "/" : a.path.split("/").at(-1)}</code>
                      </div>
                      <div class="row-note">
                        ${
                          a.current
                            ? `${a.current} for ${duration(a.currentAge || 0)}`
                            : `${number(a.handled)} handled`
                        }
                        ${a.lastError && html` · ${a.lastError}`}
                      </div>
                    </div>
                    <div class="row-side">
                      <${Badge} status=${a.status} />
                      <span class="hint">
                        ${
                          a.depth
                            ? `${a.depth} waiting, ${duration(a.oldestAge || 0)} the longest`
                            : a.restarts
                              ? plural(a.restarts, "restart")
                              : ""
                        }
                      </span>
                    </div>
                  </a>
                </li>`,
              )}
            </ul>
          </section>
          <div class="stack wide-gap">
            <${Backups} />
            <section aria-labelledby="domains">
              <h2 id="domains" class="section">What fails as one</h2>
              <dl class="facts">
                ${tree.faultDomains.map(
                  (d) => html`
                    <dt><code>${d.path}</code></dt>
                    <dd>${d.contract}</dd>
                  `,
                )}
              </dl>
            </section>
            <section aria-labelledby="letters">
              <h2 id="letters" class="section">Dead letters</h2>
              ${
                tree.deadLetters.items.length
                  ? html`<ul class="rows">
                    ${tree.deadLetters.items.map(
                      (l) => html`<li key=${l.number}>
                        <div class="row">
                          <div class="row-main">
                            <div class="row-title">${l.message}</div>
                            <div class="row-note">to ${l.path} · ${Words(l.reason)}</div>
                          </div>
                          <span class="hint nowrap">${duration(l.age)} ago</span>
                        </div>
                      </li>`,
                    )}
                  </ul>`
                  : html`<p class="quiet-line">None. Nothing was dropped.</p>`
              }
            </section>
          </div>
        </div>`
    }
    ${path && html`<${Actor} path=${path} onClose=${() => go("/runtime")} changed=${again} />`}
  `;
};

/** Look again each second, while it is asked for. @param {any} props */
const Watching = ({ on, onChange, beat }) => {
  useBeat(on && state.phase === "live", beat);
  return html`<${Switch} label="Live" on=${on} onChange=${onChange} />`;
};

/** @param {boolean} on @param {() => void} beat */
function useBeat(on, beat) {
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(beat, 1000);
    return () => clearInterval(timer);
  }, [on]);
}

/** @param {string} key @param {unknown} value */
const shownValue = (key, value) =>
  key.endsWith("At")
    ? html`<${Ago} ts=${value} />`
    : typeof value === "boolean"
      ? value
        ? "yes"
        : "no"
      : String(value);

/** @param {{path: string, onClose: () => void, changed: () => void}} props */
const Actor = ({ path, onClose, changed }) => {
  const [actor, error, again] = useLoaded(
    () => get(`/api/runtime/actors/${path}`, { stack: true }),
    [path],
  );
  const [action, setAction] = useState(/** @type {Action | null} */ (null));
  const [reason, setReason] = useState("");
  const [traced, setTraced] = useState(/** @type {any[] | null} */ (null));
  const [traces, setTraces] = useState(/** @type {WebSocket | null} */ (null));
  const { busy, error: failed, run } = useAct();
  const act = () =>
    run("act", async () => {
      if (!action) return;
      await post(`/api/runtime/actors/${path}/${action}`, {
        reason,
        confirm: CAREFUL.has(action),
        requestedBy: ME,
      });
      setAction(null);
      setReason("");
      again();
      changed();
    });
  const trace = () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(
      `${scheme}//${location.host}/api/runtime/actors/${path}/trace?messages=50&seconds=30`,
    );
    socket.onopen = () => setTraced([]);
    socket.onmessage = (m) =>
      setTraced((/** @type {any} */ old) => [...(old || []), JSON.parse(m.data)]);
    socket.onclose = () => setTraces(null);
    setTraces(socket);
  };
  useEffect(() => () => traces?.close(), [traces]);
  const facts = !actor
    ? []
    : Object.entries(actor).filter(
        ([key, value]) =>
          !["stack", "description", "path", "status"].includes(key) &&
          value !== null &&
          value !== "" &&
          typeof value !== "object",
      );
  return html`<${Dialog} title=${`/${path}`} onClose=${onClose}>
    <${Problem} error=${error} />
    ${
      !actor
        ? !error && html`<${Loading} />`
        : html`
          <div><${Badge} status=${actor.status} /></div>
          ${
            action
              ? html`<form class="stack"
                onSubmit=${(/** @type {any} */ e) => {
                  e.preventDefault();
                  act();
                }}>
                <${Field} label=${`Why ${action}?`}
                  hint=${
                    CAREFUL.has(action)
                      ? "This ends its present life. It is kept as an event with your reason."
                      : "It is kept as an event with your reason."
                  }>
                  <input required ref=${focused} value=${reason}
                    onInput=${(/** @type {any} */ e) => setReason(e.currentTarget.value)} />
                <//>
                <${Problem} error=${failed} />
                <div class="actions">
                  <${Button} onClick=${() => setAction(null)}>Leave it<//>
                  <${Button} kind=${CAREFUL.has(action) ? "danger" : "primary"} type="submit"
                    busy=${busy}>
                    ${Words(action)}
                  <//>
                </div>
              </form>`
              : html`<div class="actions start">
                ${[
                  actor.status === "suspended" ? "resume" : "suspend",
                  "drain",
                  "restart",
                  "stop",
                ].map(
                  (/** @type {any} */ name) => html`
                    <${Button} key=${name} onClick=${() => setAction(name)}>${Words(name)}<//>
                  `,
                )}
                <${Button} busy=${traces !== null} onClick=${trace}>Trace<//>
              </div>`
          }
          ${
            traced &&
            html`
              <h3>
                Trace <span class="hint">50 messages or 30 s${traces ? "" : "; it has ended"}</span>
              </h3>
              <${Code} text=${
                traced.map((t) => JSON.stringify(t)).join("\n") ||
                (traces ? "Waiting for messages…" : "No message came.")
              } label="Trace" />
            `
          }
          <dl class="facts">
            ${facts.map(
              ([key, value]) => html`
                <dt>${Words(key)}</dt>
                <dd>${shownValue(key, value)}</dd>
              `,
            )}
          </dl>
          ${
            Object.keys(actor.description || {}).length > 0 &&
            html`
              <${Code} text=${JSON.stringify(actor.description, null, 2)} label="Its own account" />
            `
          }
          ${
            actor.stack &&
            actor.stack.length > 0 &&
            html`<details class="fold">
              <summary>Where it waits</summary>
              <${Code}
                text=${Array.isArray(actor.stack) ? actor.stack.join("\n") : String(actor.stack)} />
            </details>`
          }
        `
    }
  <//>`;
};
