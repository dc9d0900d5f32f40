// @ts-check
// The first start, in three steps: Codex, repositories, a phone.
import { curl, get, ME, post } from "../api.js";
import { plural } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { Register } from "../screens/repos.js";
import { learn, state } from "../store.js";
import { Badge, Button, Code, Problem, Switch, useAct, useLoaded } from "./basics.js";

/** @import { Finding, FoundRepository } from "../openapi.js" */

/** @type {Record<Finding["level"], [string, string]>} */
const SHOWN = {
  ok: ["ok", "OK"],
  warning: ["interrupted", "To look at"],
  error: ["failed", "Wrong"],
};

/** @param {{begin: (isBeginning: boolean) => void}} props */
export const Welcome = ({ begin }) => html`<div class="stack">
  <p>Command Center puts Codex to work on git repositories of this machine.</p>
  <ol class="stack wide-gap" aria-label="First steps">
    <li class="card stack"><h2>1. Codex</h2><${Codex} /></li>
    <li class="card stack">
      <h2>2. Begin with a repository</h2>
      <${Repositories} begin=${begin} />
    </li>
    <li class="card stack">
      <h2>3. A phone</h2>
      <p>See and decide from wherever you are. The phone is let in once.</p>
      <div class="actions start">
        <a class="button" href="#/devices?add=phone">Let a phone in by its camera</a>
      </div>
    </li>
  </ol>
  ${
    state.repos.size > 0 &&
    html`<p><${Button} kind="primary" onClick=${() => begin(false)}>Go on<//></p>`
  }
</div>`;

const Codex = () => {
  const [told, error, again] = useLoaded(() => get("/api/doctor"), []);
  if (!told) return error ? html`<${Problem} error=${error} />` : html`<p>Looking for it…</p>`;
  const found = told.findings.filter((one) => one.check.startsWith("codex"));
  const isSignedOut = found.some((one) => one.check === "codex-sign-in" && one.level === "error");
  const isWell = found.every((one) => one.level === "ok");
  return html`
    ${found.map(
      (one) => html`<div>
        <${Badge} status=${SHOWN[one.level][0]} text=${SHOWN[one.level][1]} />
        ${" "}${one.message}
        ${one.level !== "ok" && one.mend && html`<div class="hint">${one.mend}</div>`}
      </div>`,
    )}
    <div class="actions start">
      ${isSignedOut && html`<a class="button primary" href="#/account?signin=yes">Sign in</a>`}
      ${!isWell && html`<${Button} icon="refresh" onClick=${again}>Look again<//>`}
      <a class="button" href="#/runtime?show=doctor">All that was looked at</a>
    </div>
  `;
};

/** @param {{begin: (isBeginning: boolean) => void}} props */
const Repositories = ({ begin }) => {
  const [found, setFound] = useState(/** @type {FoundRepository[]} */ ([]));
  const [at, setAt] = useState(/** @type {string | null | undefined} */ (undefined));
  const [folders, setFolders] = useState(0);
  const [passed, setPassed] = useState(/** @type {string[]} */ ([]));
  const [chosen, choose] = useState(/** @type {Set<string>} */ (new Set()));
  const [mayWrite, setMayWrite] = useState(true);
  const [isTyping, setTyping] = useState(false);
  const stop = useRef(() => {});
  const looking = useAct();
  const adding = useAct();
  useEffect(() => () => stop.current(), []);
  const look = () =>
    looking.run("look", async () => {
      const stopped = new Promise((resolve) => (stop.current = () => resolve(null)));
      setFound([]);
      setFolders(0);
      setPassed([]);
      setAt("");
      for (let after = /** @type {string | undefined} */ (undefined); ;) {
        // A disk that does not answer holds up the answer, and not who stops.
        const told = await Promise.race([get("/api/repos/found", { after }), stopped]);
        if (!told) break;
        setFound((before) => [...before, ...told.items]);
        setFolders((before) => before + told.folders);
        setPassed((before) => [...before, ...told.passedOver]);
        setAt(told.nextAfter);
        if (!told.nextAfter) break;
        after = told.nextAfter;
      }
    });
  const add = () =>
    adding.run("add", async () => {
      begin(true);
      for (const localPath of chosen) {
        learn(
          "repos",
          await post("/api/repos", { localPath, allowWrite: mayWrite, requestedBy: ME }),
        );
        setFound((before) =>
          before.map((one) => (one.localPath === localPath ? { ...one, isRegistered: true } : one)),
        );
        choose((before) => new Set([...before].filter((one) => one !== localPath)));
      }
    });
  /** @param {string} path @param {boolean} on */
  const tick = (path, on) =>
    choose((before) => new Set(on ? [...before, path] : [...before].filter((one) => one !== path)));
  const repositories = plural(found.length, "repository", "repositories");
  return html`
    <p>Look for some below the home folder, or name one. Nothing is changed by the look.</p>
    <div class="actions start">
      ${
        looking.busy
          ? html`<${Button} icon="stop" onClick=${() => stop.current()}>Stop<//>`
          : html`<${Button} icon="search" onClick=${look}>Look for repositories<//>`
      }
      <${Button} icon="plus" onClick=${() => setTyping(true)}>Register a repository<//>
    </div>
    <p class="hint" role="status">
      ${
        looking.busy
          ? `Looking${at ? ` in ${at}` : ""}…`
          : at === null
            ? `${repositories} in ${plural(folders, "folder")}`
            : at !== undefined && `Stopped${at && ` in ${at}`}.`
      }
    </p>
    ${
      passed.length > 0 &&
      html`<p class="hint">
        Not looked through, as there is too much in it: ${passed.slice(0, 5).join(", ")}${
          passed.length > 5 && ` and ${plural(passed.length - 5, "more folder")}`
        }. Name a repository there yourself.
      </p>`
    }
    <${Problem} error=${looking.error || adding.error} />
    ${
      found.length > 0 &&
      html`<fieldset class="stack">
        <legend class="visually-hidden">Repositories that were found</legend>
        ${found.map(
          (one) => html`<label class="option" key=${one.localPath}>
            <input type="checkbox" disabled=${one.isRegistered || adding.busy}
              checked=${one.isRegistered || chosen.has(one.localPath)}
              onChange=${(/** @type {any} */ e) => tick(one.localPath, e.currentTarget.checked)} />
            <span>
              ${one.name}
              <span class="hint">${one.isRegistered ? "Registered" : one.localPath}</span>
            </span>
          </label>`,
        )}
        <${Switch} label="Runs may change files in them" on=${mayWrite} onChange=${setMayWrite} />
        <${Button} kind="primary" busy=${adding.busy} disabled=${!chosen.size} onClick=${add}>
          Register ${plural(chosen.size, "repository", "repositories")}
        <//>
      </fieldset>`
    }
    <details class="fold">
      <summary>From a terminal</summary>
      <${Code} text=${curl(
        "/api/repos",
        '{"localPath": "/path/to/a/repository", "allowWrite": true}',
      )} />
    </details>
    ${isTyping && html`<${Register} onClose=${() => setTyping(false)} />`}
  `;
};
