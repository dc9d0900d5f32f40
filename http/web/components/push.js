// @ts-check
// Notifications with the page closed: on or off for this browser, which kinds, and when quietly.
import { ask, patch, ME } from "../api.js";
import { Ago, Button, Field, Problem, Switch, useAct, useLoaded } from "./basics.js";
import { html, useState } from "../html.js";
import { canPush, pushKey, subscribe, subscribed, unsubscribe } from "../push.js";

/** @import { SubscribedBrowser } from "../openapi.js" */
/** @typedef {SubscribedBrowser["kinds"][number]} Kind */

/** @type {[Kind, string][]} */
const KINDS = [
  ["approvals", "Approvals"],
  ["questions", "Questions"],
  ["warnings", "Decisions that are due soon"],
  ["sessions", "Sessions that have ended, and news of pull requests"],
  ["interrupted", "Sessions that were interrupted"],
  ["limits", "Limits of Codex's account"],
  ["automations", "Automations that were paused"],
  ["system", "Parts of Command Center that failed"],
];
const NIGHT = "22:00-07:00";

/** Where a browser or the server has no push, nothing is offered. */
export const Push = () => {
  const [told, setTold] = useState(/** @type {SubscribedBrowser | null | undefined} */ (undefined));
  const { busy, error, run } = useAct();
  const [known, failure] = useLoaded(async () => {
    const key = canPush() ? await pushKey() : null;
    return { isOffered: key !== null, told: key === null ? null : await subscribed() };
  }, []);
  const browser = told === undefined ? known?.told : told;
  if (!known?.isOffered) return html`<${Problem} error=${failure} />`;
  const turn = (/** @type {boolean} */ on) =>
    run("turn", async () => {
      if (on) setTold(await subscribe());
      else if (browser) {
        await unsubscribe(browser);
        setTold(null);
      }
    });
  return html`
    <${Switch} label="Also with the page closed" hint="By this browser's own push service."
      on=${Boolean(browser)} disabled=${Boolean(busy)} onChange=${turn} />
    ${browser && html`<${Preferences} browser=${browser} onChange=${setTold} />`}
    <${Problem} error=${error || failure} />
  `;
};

/**
 * A choice of kinds.
 * @param {{kinds: Kind[], legend: string, disabled: boolean, onChange: (kinds: Kind[]) => void}}
 * props
 */
export const Kinds = ({ kinds, legend, disabled, onChange }) => html`<fieldset class="stack">
  <legend class="label">${legend}</legend>
  <div>
    ${KINDS.map(
      ([kind, words]) => html`<${Switch} key=${kind} label=${words} on=${kinds.includes(kind)}
        disabled=${disabled}
        onChange=${(/** @type {boolean} */ on) =>
          onChange(on ? [...kinds, kind] : kinds.filter((other) => other !== kind))} />`,
    )}
  </div>
</fieldset>`;

/** How many kinds one is told of, in words. @param {Kind[]} kinds */
export const toldOf = (kinds) =>
  kinds.length === KINDS.length
    ? "Told of everything"
    : kinds.length
      ? `Told of ${kinds.length} of ${KINDS.length} kinds`
      : "Told of nothing";

/** @param {{browser: SubscribedBrowser, onChange: (browser: SubscribedBrowser) => void}} props */
const Preferences = ({ browser, onChange }) => {
  const { busy, error, run } = useAct();
  const [isSent, setSent] = useState(false);
  /** @param {Partial<Pick<SubscribedBrowser, "kinds" | "quietHours" | "timeZone">>} changes */
  const change = (changes) =>
    run("change", async () =>
      onChange(
        await patch(`/api/push/subscriptions/${browser.id}`, { ...changes, requestedBy: ME }),
      ),
    );
  const quiet = (/** @type {string | null} */ hours) =>
    change({
      quietHours: hours,
      timeZone: hours && Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
  const [from, until] = (browser.quietHours || NIGHT).split("-");
  return html`
    <${Kinds} kinds=${browser.kinds} legend="Tell me of" disabled=${busy === "change"}
      onChange=${(/** @type {Kind[]} */ kinds) => change({ kinds })} />
    <${Switch} label="Quiet hours" hint="Without a sound, every day."
      on=${browser.quietHours !== null} disabled=${busy === "change"}
      onChange=${(/** @type {boolean} */ on) => quiet(on ? NIGHT : null)} />
    ${
      browser.quietHours !== null &&
      html`<div class="field-pair">
        <${Field} label="From">
          <input type="time" required value=${from}
            onChange=${(/** @type {any} */ e) =>
              e.currentTarget.value &&
              e.currentTarget.value !== until &&
              quiet(`${e.currentTarget.value}-${until}`)} />
        <//>
        <${Field} label="Until">
          <input type="time" required value=${until}
            onChange=${(/** @type {any} */ e) =>
              e.currentTarget.value &&
              e.currentTarget.value !== from &&
              quiet(`${from}-${e.currentTarget.value}`)} />
        <//>
      </div>`
    }
    <div>
      <${Button} icon="bell" busy=${busy === "test"} disabled=${Boolean(busy)}
        onClick=${() =>
          run("test", async () => {
            onChange(await ask(`/api/push/subscriptions/${browser.id}/test`, undefined));
            setSent(true);
          })}>
        Send a test
      <//>
    </div>
    <div class="hint" role="status">
      ${
        browser.error
          ? browser.error
          : isSent
            ? "A test is on its way."
            : browser.lastSentAt && html`Last told <${Ago} ts=${browser.lastSentAt} />.`
      }
    </div>
    <${Problem} error=${error} />
  `;
};
