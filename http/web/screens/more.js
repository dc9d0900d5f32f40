// @ts-check
// More: the places that have no tab, how the page looks and calls, and the way out.
import { get, signOut } from "../api.js";
import { Badge, Button, Choice, Head, Problem, useAct, useLoaded } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { Push } from "../components/push.js";
import { Words, duration } from "../format.js";
import { html, useState } from "../html.js";
import { connect } from "../connection.js";
import { endPush } from "../push.js";
import { state, useStore } from "../store.js";
import { applyTheme, theme } from "../theme.js";

const PLACES = [
  ["repos", "repos", "Repositories"],
  ["automations", "automations", "Automations"],
  ["threads", "threads", "Threads of Codex"],
  ["tools", "command", "Tools of Codex"],
  ["hosts", "host", "Hosts"],
  ["telemetry", "telemetry", "Telemetry"],
  ["runtime", "runtime", "Runtime"],
  ["runtime?show=doctor", "check", "Doctor"],
  ["runtime?show=settings", "more", "Settings"],
  ["notifications", "bell", "Notifications"],
  ["devices", "devices", "Devices"],
  ["account", "lock", "Codex account"],
];

/** Whether who brings no cookie is refused: else nobody is signed in, or out. */
async function asksForToken() {
  const answer = await fetch("/api/repos?limit=1", { credentials: "omit" }).catch(() => null);
  return answer?.status === 401;
}

export const More = () => {
  useStore("connection");
  const [chosen, setChosen] = useState(theme());
  const [health] = useLoaded(() => get("/health"), [state.phase]);
  const [needsToken] = useLoaded(asksForToken, []);
  const { error, run, busy } = useAct();
  const [allowed, setAllowed] = useState(
    "Notification" in window ? Notification.permission : "unsupported",
  );
  const leave = () =>
    run("out", async () => {
      await endPush();
      await signOut();
      (await import("../drafts.js")).forgetAll();
      await connect();
    });
  return html`
    <${Head} title="More"
      shown=${html`
        <span class="only-narrow">More</span>
        <span class="only-wide">Preferences</span>
      `} />
    <ul class="rows only-narrow">
      ${PLACES.map(
        ([path, icon, name]) => html`<li key=${path}>
          <a class="row" href=${`#/${path}`}>
            <${Icon} name=${icon} />
            <div class="row-main"><div class="row-title">${name}</div></div>
            <${Icon} name="chevron" size=${16} />
          </a>
        </li>`,
      )}
    </ul>
    <div class="columns">
      <section class="card stack" aria-labelledby="looks">
        <h2 id="looks" class="section">This browser</h2>
        <div class="field">
          <span class="label">Colours</span>
          <${Choice} label="Colours" value=${chosen}
            onChange=${(/** @type {string} */ v) => {
              applyTheme(v);
              setChosen(v);
            }}
            options=${[
              ["system", "System"],
              ["light", "Light"],
              ["dark", "Dark"],
            ]} />
        </div>
        <div class="field">
          <span class="label">Notifications</span>
          ${
            allowed === "granted"
              ? html`<span class="hint">On, while a page is open.</span><${Push} />`
              : allowed === "default"
                ? html`<div>
                  <${Button} icon="bell"
                    onClick=${async () => setAllowed(await Notification.requestPermission())}>
                    Allow notifications
                  <//>
                </div>`
                : html`<span class="hint">
                  ${
                    allowed === "denied"
                      ? "The browser refuses them for this page."
                      : "This browser has none here."
                  }
                </span>`
          }
        </div>
        ${needsToken && html`<${Button} icon="out" busy=${busy} onClick=${leave}>Sign out<//>`}
        <${Problem} error=${error} />
      </section>
      <section class="card" aria-labelledby="server">
        <h2 id="server" class="section">This server</h2>
        ${
          health &&
          html`<dl class="facts">
            <dt>State</dt>
            <dd><${Badge} status=${health.status} /></dd>
            <dt>Version</dt>
            <dd>
              ${health.version}
              ${
                health.newVersion &&
                html` ·
                  <a href="/docs/upgrading.html" target="_blank">${health.newVersion} is out</a>`
              }
            </dd>
            <dt>Runner</dt>
            <dd>${Words(health.runnerMode)}</dd>
            ${health.codexVersion && html`<dt>Codex</dt><dd>${health.codexVersion}</dd>`}
            <dt>Up for</dt>
            <dd>${duration(health.uptimeSeconds)}</dd>
            ${Object.entries(health.checks).map(
              ([name, value]) => html`
                <dt>${Words(name)}</dt>
                <dd><${Badge} status=${String(value)} /></dd>
              `,
            )}
          </dl>`
        }
        <a class="more" href="/docs/" target="_blank" rel="noreferrer">Documentation</a>
        ·
        <a class="more" href="/docs/openapi.html" target="_blank" rel="noreferrer">
          The API that this page uses
        </a>
      </section>
    </div>
  `;
};
