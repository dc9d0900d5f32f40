// @ts-check
// The account of Codex: who is signed in, how much of the plan is used, signing in and out.
import { ask, get, ME } from "../api.js";
import {
  Badge,
  Button,
  Choice,
  Code,
  Confirm,
  Dialog,
  Empty,
  Field,
  focused,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { SpendingCard } from "../components/caps.js";
import { dayAndTime, duration, plural, Words } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { useParam } from "../router.js";
import { useStore } from "../store.js";

/** @import { AgentAccount, SignIn, UsageLimit, LimitWindow } from "../openapi.js" */

const SIGN_INS = "/api/codex/account/sign-ins";

/** Kinds of accounts, by Codex's names for them. @type {Record<string, string>} */
const KINDS = { chatgpt: "ChatGPT", apiKey: "API key", amazonBedrock: "Amazon Bedrock" };

export const Account = () => {
  const version = useStore("account");
  const [account, error] = useLoaded(() => get("/api/codex/account"), [], version);
  const [isSigningIn, setSigningIn] = useParam("signin");
  const [isLeaving, setLeaving] = useState(false);
  const isIn = account?.status === "signed_in";
  return html`
    <${Head} title="Codex account" note="Who your runs work as, and how much is left">
      ${
        account &&
        account.status !== "not_needed" &&
        html`<${Button} kind=${isIn ? "" : "primary"} onClick=${() => setSigningIn("yes")}>
          ${isIn ? "Use another account" : "Sign in"}
        <//>`
      }
    <//>
    ${
      error
        ? html`<${Empty} icon="lock" title="No account to show"><p>${error.message}</p><//>`
        : account
          ? html`<${Shown} account=${account} onLeave=${() => setLeaving(true)} />`
          : html`<${Loading} />`
    }
    ${account && html`<div class="columns"><${SpendingCard} /></div>`}
    ${
      account &&
      isSigningIn &&
      html`<${SigningIn} account=${account} onClose=${() => setSigningIn("")} />`
    }
    ${
      isLeaving &&
      html`<${Confirm} title="Sign Codex out?" label="Sign out"
        act=${() => ask("/api/codex/account/sign-out", { requestedBy: ME })}
        onClose=${() => setLeaving(false)}>
        <p>Turns that run now may fail. Codex forgets the account on this machine, for its terminal
          and apps, too.</p>
      <//>`
    }
  `;
};

/** @param {{account: AgentAccount, onLeave: () => void}} props */
const Shown = ({ account, onLeave }) => {
  if (account.status === "not_needed")
    return html`<${Empty} icon="lock" title="No account is needed">
      <p>Codex's configuration names a provider of your own.</p>
    <//>`;
  if (account.status === "signed_out")
    return html`<${Empty} icon="lock" title="Codex isn't signed in">
      <p>Runs fail until it is. Sign in with a code, on any device, or with an API key.</p>
    <//>`;
  return html`<div class="columns">
    <section class="card stack" aria-labelledby="who">
      <h2 id="who" class="section">Signed in</h2>
      <dl class="facts">
        ${account.email && html`<dt>E-mail</dt><dd>${account.email}</dd>`}
        <dt>With</dt><dd>${KINDS[account.kind || ""] || account.kind}</dd>
        ${account.plan && html`<dt>Plan</dt><dd>${account.plan}</dd>`}
        ${account.workspace && html`<dt>Workspace</dt><dd>${account.workspace}</dd>`}
      </dl>
      <div class="actions"><${Button} kind="danger" onClick=${onLeave}>Sign out<//></div>
    </section>
    <${Limits} kind=${account.kind} />
  </div>`;
};

/** @param {{kind: string | null | undefined}} props */
const Limits = ({ kind }) => {
  const [limits, error, again] = useLoaded(
    () => get("/api/codex/limits"),
    [kind],
    useStore("limits"),
  );
  return html`<section class="card stack" aria-labelledby="limits">
    <h2 id="limits" class="section">Limits</h2>
    ${
      kind === "apiKey"
        ? html`<p class="quiet-line">A key has none here: it is paid by use.</p>`
        : error
          ? html`<${Problem} error=${error} />`
          : limits
            ? html`
              ${limits.heldSince && html`<${Held} until=${limits.heldUntil} />`}
              ${limits.limits.map((limit) => html`<${Limit} key=${limit.id} limit=${limit} />`)}
            `
            : html`<${Loading} />`
    }
    ${
      kind !== "apiKey" &&
      html`<div class="actions">
        <${Button} kind="quiet" icon="refresh" onClick=${again}>Look again<//>
      </div>`
    }
  </section>`;
};

/** Runs wait. @param {{until: string | null | undefined}} props */
const Held = ({ until }) => html`
  <p class="problem" data-tone="warn" role="status">
    A limit is reached: runs wait until it
    resets${until ? `, ${dayAndTime(until)}` : ""}. Then they go on by themselves.
  </p>
`;

/** @param {{limit: UsageLimit}} props */
const Limit = ({ limit }) => html`
  <div>
    <b>${limit.name || Words(limit.id)}</b>
    ${limit.reached && html` <${Badge} status="failed" text="Used up" />`}
    <ul class="bars">
      ${limit.windows.map((window, index) => html`<${Window} key=${index} window=${window} />`)}
    </ul>
    ${limit.creditsLeft && html`<p class="hint">Credits left: ${limit.creditsLeft}</p>`}
  </div>
`;

/** @param {number | null | undefined} minutes */
const span = (minutes) =>
  !minutes ? "All" : minutes % 1440 ? duration(minutes * 60) : plural(minutes / 1440, "day");

/** @param {{window: LimitWindow}} props */
const Window = ({ window }) => html`
  <li>
    <span>
      ${span(window.minutes)}
      ${
        window.resetsAt &&
        html`<br /><span class="hint">resets ${dayAndTime(window.resetsAt)}</span>`
      }
    </span>
    <meter min="0" max="100" value=${window.usedPercent} aria-label="used"></meter>
    <b>${Math.round(window.usedPercent)} %</b>
  </li>
`;

/** @param {{account: AgentAccount, onClose: () => void}} props */
const SigningIn = ({ account, onClose }) => {
  const [type, setType] = useState(/** @type {SignIn["type"]} */ ("device_code"));
  const [apiKey, setApiKey] = useState("");
  const [mine, setMine] = useState(/** @type {SignIn | null} */ (null));
  const { busy, error, run } = useAct();
  const told = account.signIn?.id === mine?.id ? account.signIn : null;
  const shown = told || mine || (account.signIn?.status === "waiting" ? account.signIn : null);
  const isDone = Boolean(mine) && shown?.status === "completed";
  useEffect(() => {
    if (isDone) onClose();
  }, [isDone]);
  const begin = () =>
    run("begin", async () => {
      const key = type === "api_key" ? apiKey.trim() : undefined;
      setMine(await ask(SIGN_INS, { type, apiKey: key, requestedBy: ME }));
    });
  const giveUp = () =>
    run("cancel", async () => {
      await ask(`${SIGN_INS}/${encodeURIComponent(shown?.id || "")}/cancel`, { requestedBy: ME });
      onClose();
    });
  if (shown?.status === "waiting")
    return html`<${Dialog} title="Enter this code" onClose=${onClose}>
      <div class="stack">
        <${Code} text=${shown.userCode || ""} label="Code to enter" />
        <p>Open the page on any device, sign in there, and enter the code. Enter it only if you
          began this yourself.</p>
        <p class="hint">This closes by itself once the code is taken.</p>
        <${Problem} error=${error} />
      </div>
      <div class="actions">
        <${Button} busy=${busy === "cancel"} onClick=${giveUp}>Give up<//>
        ${
          /^https?:/.test(shown.verificationUrl || "") &&
          html`<a class="button primary" href=${shown.verificationUrl} target="_blank"
            rel="noopener noreferrer">Open the page</a>`
        }
      </div>
    <//>`;
  return html`<${Dialog} title="Sign Codex in" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        begin();
      }}>
      <${Choice} label="How" value=${type} onChange=${setType}
        options=${[
          ["device_code", "With a code"],
          ["api_key", "With an API key"],
        ]} />
      ${
        type === "api_key"
          ? html`<${Field} label="API key" hint="Codex alone keeps it.">
            <input type="password" autocomplete="off" required minlength="8" maxlength="1000"
              value=${apiKey} ref=${focused}
              onInput=${(/** @type {any} */ e) => setApiKey(e.currentTarget.value)} />
          <//>`
          : html`<p class="hint">You get a code, and enter it on a page of OpenAI's, on any device.
            ChatGPT has to allow device codes in its security settings.</p>`
      }
      ${shown?.error && html`<p class="problem" role="alert">${shown.error}</p>`}
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy === "begin"}
        disabled=${Boolean(busy) || (type === "api_key" && apiKey.trim().length < 8)}>
        ${type === "api_key" ? "Sign in" : "Get a code"}
      <//>
    </form>
  <//>`;
};
