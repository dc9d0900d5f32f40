// @ts-check
// Pairing: the address that a code stands in signs this browser in, as a device of its own. Who is
// signed in already is asked first.
import { ask, get } from "../api.js";
import { Button, Field, Problem, useAct } from "../components/basics.js";
import { connect } from "../connection.js";
import { html, useEffect, useState } from "../html.js";
import { go, replace } from "../router.js";
import { state, useStore } from "../store.js";

/** @import { Identity } from "../openapi.js" */

/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Mac OS X|Macintosh/, "Mac"],
  [/Windows/, "Windows"],
  [/Linux|CrOS/, "Linux"],
];
/** @type {[RegExp, string][]} */
const BROWSERS = [
  [/Edg/, "Edge"],
  [/Firefox|FxiOS/, "Firefox"],
  [/Chrome|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
];

/** What this browser calls itself. */
export function ownName() {
  const agent = navigator.userAgent;
  const find = (/** @type {[RegExp, string][]} */ known) =>
    known.find(([pattern]) => pattern.test(agent))?.[1];
  return [find(BROWSERS) || "A browser", find(SYSTEMS)].filter(Boolean).join(" on ");
}

/** @param {{code: string}} props */
export const Pair = ({ code }) => {
  const [typed, setTyped] = useState(code);
  const [known, setKnown] = useState(/** @type {Identity | null} */ (null));
  const { busy, error, run } = useAct();
  /** @param {string} used */
  const pair = (used) =>
    run("pair", async () => {
      await ask("/api/pair", { code: used, name: ownName() });
      replace("/");
      await connect();
    });
  useStore("connection");
  const { phase } = state;
  // only once it is known who this browser is: what was asked before is answered by then
  useEffect(() => {
    setTyped(code);
    if (!code) return;
    if (phase === "signin") pair(code);
    else if (phase === "live") run("look", async () => setKnown(await get("/api/devices/current")));
  }, [code, phase]);
  return html`<main class="signin" id="main">
    <form class="card stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        pair(typed);
      }}>
      <img src="/web/icons/icon.svg" width="56" height="56" alt="" />
      <h1>Sign this device in</h1>
      ${
        known &&
        html`<p role="status">
          ${
            known.device
              ? html`This browser is signed in already, as <b>${known.device.name}</b>.`
              : "This browser may do everything here already."
          }
          With the code it becomes a device of its own.
        </p>`
      }
      <${Field} label="Code" hint="command-center pair shows it, and so does Devices in the page.">
        <input type="text" required autofocus autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck="false" maxlength="64" value=${typed}
          onInput=${(/** @type {any} */ e) => setTyped(e.currentTarget.value)} />
      <//>
      <${Problem} error=${error} />
      <${Button} kind="primary wide big" type="submit" busy=${busy}
        disabled=${Boolean(busy) || !typed.trim()}>
        Sign in
      <//>
      <${Button} kind="quiet wide" onClick=${() => go("/")}>
        ${known ? "Stay as it is" : "Sign in with a token instead"}
      <//>
    </form>
  </main>`;
};
