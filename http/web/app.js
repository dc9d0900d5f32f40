// @ts-check
// The shell: where one goes, whether the page is current, and the screen that the address names.
import { html, render, useEffect, useErrorBoundary, useLayoutEffect, useState } from "./html.js";
import { Icon } from "./components/icon.js";
import { Bridge, BridgeWatch } from "./components/bridge.js";
import { Connection } from "./components/connection.js";
import { Empty, lazily, Loading } from "./components/basics.js";
import { openPalette, useKeys } from "./keys.js";
import { arrive, PLACES, rememberDepths, usePlace } from "./router.js";
import { onEvent, start } from "./connection.js";
import { sheet } from "./sheets.js";
import { pendingApprovals, state, useStore } from "./store.js";
import { applyTheme } from "./theme.js";
import { Title } from "./title.js";
import { Now } from "./screens/now.js";

/** @typedef {import("./router.js").Place} Place */

const SignIn = lazily(() => import("./screens/signin.js"), "SignIn");
const Pair = lazily(() => import("./screens/pair.js"), "Pair");
const Help = lazily(() => import("./screens/help.js"), "Help");
const Palette = lazily(() => import("./components/palette.js"), "Palette");

/** Screens are loaded when they are first gone to. @type {Record<string, () => Promise<any>>} */
const SCREENS = {
  approvals: () => import("./screens/approvals.js"),
  sessions: () => import("./screens/sessions.js"),
  session: () => import("./screens/session.js"),
  tasks: () => import("./screens/tasks.js"),
  "new-task": () => import("./screens/new-task.js"),
  task: () => import("./screens/task.js"),
  repos: () => import("./screens/repos.js"),
  automations: () => import("./screens/automations.js"),
  threads: () => import("./screens/threads.js"),
  tools: () => import("./screens/tools.js"),
  telemetry: () => import("./screens/telemetry.js"),
  runtime: () => import("./screens/runtime.js"),
  devices: () => import("./screens/devices.js"),
  hosts: () => import("./screens/hosts.js"),
  account: () => import("./screens/account.js"),
  notifications: () => import("./screens/notifications.js"),
  more: () => import("./screens/more.js"),
  help: () => import("./screens/help.js"),
};

/**
 * What an address shows: a module, its component, and its props.
 * @param {string[]} parts
 * @returns {[string, string, any]}
 */
function screenOf([first, second, ...rest]) {
  const id = /^[0-9]+$/.test(second || "") ? Number(second) : null;
  const isMade = second === "new" && (first === "tasks" || first === "automations");
  if (second && !id && !isMade && first !== "runtime") return ["help", "Lost", {}];
  switch (first) {
    case "approvals":
      return id ? ["approvals", "Approval", { id }] : ["approvals", "Approvals", {}];
    case "sessions":
      return id ? ["session", "Session", { id }] : ["sessions", "Sessions", {}];
    case "tasks":
      return second === "new"
        ? ["new-task", "NewTask", {}]
        : id
          ? ["task", "Task", { id }]
          : ["tasks", "Tasks", {}];
    case "repos":
      return id ? ["repos", "Repo", { id }] : ["repos", "Repos", {}];
    case "automations":
      return second === "new"
        ? ["automations", "NewAutomation", {}]
        : id
          ? ["automations", "Automation", { id }]
          : ["automations", "Automations", {}];
    case "threads":
      return ["threads", "Threads", {}];
    case "tools":
      return ["tools", "Tools", {}];
    case "telemetry":
      return ["telemetry", "Telemetry", {}];
    case "runtime":
      return ["runtime", "Runtime", { path: [second, ...rest].filter(Boolean).join("/") }];
    case "devices":
      return ["devices", "Devices", {}];
    case "hosts":
      return ["hosts", "Hosts", {}];
    case "account":
      return ["account", "Account", {}];
    case "notifications":
      return id ? ["notifications", "Webhook", { id }] : ["notifications", "Notifications", {}];
    case "more":
      return ["more", "More", {}];
    case undefined:
      return ["", "Now", {}];
    default:
      return ["help", "Lost", {}];
  }
}

const MOD = /Mac|iP/.test(navigator.platform) ? "⌘" : "Ctrl";
const TABS = [...PLACES.slice(0, 4), ["more", "more", "More"]];

const App = () => {
  useStore("connection");
  const place = usePlace();
  const [sheet, setSheet] = useKeys();
  if (place.parts[0] === "pair")
    return html`<${Title} />
      <div><${Pair} code=${place.parts[1] || ""} /></div>`;
  if (state.phase === "signin") return html`<${Title} /><${SignIn} />`;
  return html`
    <${Title} />
    <a class="skip" href="#main"
      onClick=${(/** @type {any} */ e) => {
        e.preventDefault();
        document.getElementById("main")?.focus();
      }}>
      To the content
    </a>
    <div class="shell">
      <${Nav} current=${place.parts[0] || ""} onHelp=${() => setSheet("help")} />
      <main id="main" tabindex="-1">
        <${Connection} />
        <${Bridge} />
        ${
          state.lastId === null
            ? html`<${Loading} />`
            : html`<${BridgeWatch} /><${Screen} place=${place} />`
        }
      </main>
      <${Tabs} current=${place.parts[0] || ""} />
    </div>
    ${sheet === "help" && html`<${Help} onClose=${() => setSheet("")} />`}
    ${sheet === "palette" && html`<${Palette} onClose=${() => setSheet("")} />`}
  `;
};

/** @param {{place: Place}} props */
const Screen = ({ place }) => {
  const [module, component, props] = screenOf(place.parts);
  const [loaded, setLoaded] = useState(/** @type {any} */ ({ "": { Now } }));
  const [failed, setFailed] = useState("");
  const isLive = state.phase === "live";
  useEffect(() => {
    if (loaded[module]) return;
    setFailed("");
    Promise.all([SCREENS[module](), sheet("./styles/places.css")]).then(
      ([exports]) => setLoaded((/** @type {any} */ old) => ({ ...old, [module]: exports })),
      () => setFailed(module),
    );
  }, [module, isLive]);
  const isHere = Boolean(loaded[module]);
  useLayoutEffect(() => {
    if (!isHere || place.path === lastPath) return;
    arrive();
    const isLost = !document.activeElement || document.activeElement === document.body;
    if (isLost && lastPath !== null)
      document.getElementById("main")?.focus({ preventScroll: true });
    lastPath = place.path;
  }, [place.path, isHere]);
  if (!isHere)
    return failed === module
      ? html`<${Empty} icon="warning" title="This part of the page is not here yet">
        <p>
          ${
            state.isOutdated
              ? "It comes with the page of the new version."
              : "Command Center could not be reached for it. It comes once the connection is back."
          }
        </p>
        <p>
          <button type="button" class="button" onClick=${() => location.reload()}>
            Load the page again
          </button>
        </p>
      <//>`
      : html`<${Loading} />`;
  return html`<${Held} key=${place.path}><${loaded[module][component]} ...${props} /><//>`;
};

/**
 * A screen that fails while it is shown says so, and the rest of the page goes on.
 * @param {{children?: any}} props
 */
const Held = ({ children }) => {
  const [failure, again] = useErrorBoundary((/** @type {any} */ error) => console.error(error));
  if (!failure) return children;
  return html`<${Empty} icon="warning" title="This screen has failed">
    <p>${String(failure.message || failure)}</p>
    <p><button type="button" class="button" onClick=${again}>Try again</button></p>
  <//>`;
};
/** @type {string | null} */
let lastPath = null;

/** @param {{name: string}} props */
const Count = ({ name }) => {
  useStore("approvals");
  const count = name === "approvals" ? pendingApprovals().length : 0;
  return count > 0
    ? html`<span class="nav-count">${count}<span class="visually-hidden"> pending</span></span>`
    : null;
};

/** @param {{current: string, onHelp: () => void}} props */
const Nav = ({ current, onHelp }) => html`<nav class="side" aria-label="Main">
  <a class="brand" href="#/">
    <img src="/web/icons/icon.svg" width="28" height="28" alt="" />
    <span>Command Center</span>
  </a>
  <button type="button" class="nav-button" onClick=${openPalette}>
    <${Icon} name="search" />
    <span>Search <kbd>${MOD} K</kbd></span>
  </button>
  <ul>
    ${PLACES.map(
      ([path, icon, name]) => html`<li key=${path}>
        <a href=${`#/${path}`} aria-current=${path === current ? "page" : null}>
          <${Icon} name=${icon} />
          <span>${name}</span>
          <${Count} name=${path} />
        </a>
      </li>`,
    )}
  </ul>
  <div class="side-foot">
    <${Bridge} />
    <button type="button" class="nav-button" onClick=${onHelp}>
      <${Icon} name="question" />
      <span>Shortcuts <kbd>?</kbd></span>
    </button>
    <a class="nav-button" href="#/more" aria-current=${current === "more" ? "page" : null}>
      <${Icon} name="more" />
      <span>Preferences</span>
    </a>
  </div>
</nav>`;

/** @param {{current: string}} props */
const Tabs = ({ current }) => html`<nav class="tabs" aria-label="Places">
  <ul>
    ${TABS.map(([path, icon, name]) => {
      const isHere =
        path === current || (path === "more" && !TABS.some(([tab]) => tab === current));
      return html`<li key=${path}>
        <a href=${`#/${path}`} aria-current=${isHere ? "page" : null}>
          <span class="tab-icon"><${Icon} name=${icon} size=${23} /><${Count} name=${path} /></span>
          <span>${name}</span>
        </a>
      </li>`;
    })}
  </ul>
</nav>`;

applyTheme();
rememberDepths();
render(html`<${App} />`, /** @type {any} */ (document.getElementById("app")));
start();
// what tells of events comes with the first of them
onEvent((event) => {
  import("./notices.js").then(
    ({ notice }) => notice(event),
    () => {}, // without a connection there is nothing new to tell
  );
});
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data.goTo) location.hash = data.goTo;
});
// without it the page works all the same
navigator.serviceWorker?.register("/sw.js").then(renewPush, () => {});

/** Make a subscription to Web Push again that was lost; who has none loads nothing for it. */
async function renewPush() {
  if (localStorage.getItem("push") !== null) await (await import("./push.js")).renewPush();
}
