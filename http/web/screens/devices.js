// @ts-check
// Devices: who else may use this server, each with what it may do; add one, change one, revoke one.
import { ask, every, get, ME, patch, remove } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Choice,
  Code,
  Confirm,
  Countdown,
  Dialog,
  Empty,
  Field,
  Head,
  Loading,
  Problem,
  Switch,
  useAct,
  useLoaded,
} from "../components/basics.js";
import {
  ForCodex,
  formOf,
  Limits,
  limitsOf,
  limitsToSend,
  USUAL_LIMITS,
} from "../components/agent-limits.js";
import { useFilter } from "../components/filter.js";
import { Passkeys } from "../components/passkeys.js";
import { Qr } from "../components/qr.js";
import { day } from "../format.js";
import { html, useState } from "../html.js";
import { here } from "../router.js";
import { useStore } from "../store.js";

/** @import { Device, DeviceToken, PageAddress, PairingOffer } from "../openapi.js" */
/** @import { FormLimits } from "../components/agent-limits.js" */
/** @typedef {Device["scopes"][number]} Scope */

/** @type {[Scope, string][]} */
const SCOPES = [
  ["read", "See everything"],
  ["work", "Make tasks and automations, run, steer and stop"],
  ["approve", "Decide approvals"],
  ["land", "Commit, merge, and take worktrees away"],
  ["operate", "Suspend and restart parts of the server"],
  ["admin", "Devices, repositories, and what runs may do in them"],
];

/** @type {Record<string, [string, Scope[]]>} */
const KINDS = {
  own: ["My own", ["read", "work", "approve", "land", "operate"]],
  decide: ["Decides", ["read", "approve"]],
  agent: ["An agent", ["read", "work"]],
  looks: ["Looks", ["read"]],
};

const DAYS = [0, 1, 30, 90, 365];
const DAY_MS = 86_400_000;

export const Devices = () => {
  const version = useStore("devices", "repos");
  const [devices, error] = useLoaded(() => every("/api/devices"), [], version);
  const [me] = useLoaded(() => get("/api/devices/current"), [], version);
  const [found, search] = useFilter(
    devices || [],
    ({ name, scopes }) => `${name} ${scopes.join(" ")}`,
    "Search devices",
  );
  const [adding, setAdding] = useState(here().params.has("add"));
  const [changed, change] = useState(/** @type {Device | null} */ (null));
  const [revoked, revoke] = useState(/** @type {Device | null} */ (null));
  return html`
    <${Head} title="Devices" note="Phones, browsers and scripts with a way in of their own">
      <${Button} kind="primary" icon="plus" onClick=${() => setAdding(true)}>Add a device<//>
    <//>
    <${Problem} error=${error} />
    ${
      !devices
        ? !error && html`<${Loading} />`
        : devices.length === 0
          ? html`<${Empty} icon="devices" title="No devices yet"
            curl=${"command-center pair"}>
            <p>A phone or a script gets a way in of its own, with what it may do. You can take it
              back alone.</p>
          <//>`
          : html`${search}<ul class="rows">
            ${found.map(
              (device) => html`<li key=${device.id} class="row device-row">
                <div class="row-main">
                  <div class="row-title">
                    ${device.name}
                    ${me?.device?.id === device.id && html` <span class="hint">this browser</span>`}
                  </div>
                  <div class="row-note">${device.scopes.join(", ")}</div>
                  ${device.limits && html`<div class="row-note">${limitsOf(device)}</div>`}
                  <div class="row-note"><${Seen} device=${device} /></div>
                </div>
                <div class="actions">
                  <${Button} onClick=${() => change(device)}
                    aria-label=${`Change ${device.name}`}>
                    Change
                  <//>
                  <${Button} kind="danger" onClick=${() => revoke(device)}
                    aria-label=${`Revoke ${device.name}`}>
                    Revoke
                  <//>
                </div>
              </li>`,
            )}
          </ul>`
    }
    <${Passkeys} devices=${devices || []} />
    <${Addresses} />
    ${adding && html`<${Add} known=${devices || []} onClose=${() => setAdding(false)} />`}
    ${changed && html`<${Change} device=${changed} onClose=${() => change(null)} />`}
    ${
      revoked &&
      html`<${Confirm} title=${`Revoke ${revoked.name}?`} label="Revoke"
        act=${() => remove(`/api/devices/${revoked.id}`, { requestedBy: ME })}
        onClose=${() => revoke(null)}>
        <p>It is let in no more, and what it watches ends at once. What it did stays.</p>
      <//>`
    }
  `;
};

/** Where the page opens, and what a browser does there. */
const Addresses = () => {
  const [found, error] = useLoaded(() => get("/api/addresses"), []);
  return html`
    <h2 class="section apart">Addresses</h2>
    <${Problem} error=${error} />
    <ul class="rows" aria-label="Addresses">
      ${(found?.items || []).map(
        (one) => html`<li key=${one.url} class="row">
          <div class="row-main">
            <div class="row-title">
              <a href=${`${one.url}/`}>${one.url}</a>
              ${location.origin === one.url && html` <span class="hint">here</span>`}
            </div>
            <div class="hint">${heldBack(one)}</div>
          </div>
        </li>`,
      )}
    </ul>
    <p class="hint apart">
      The server answers under no other. Another name goes into <code>CC_ALLOWED_HOSTS</code>,
      a certificate into <code>CC_TLS_CERT</code> and <code>CC_TLS_KEY</code>.
    </p>
  `;
};

/** What a browser will and will not do there. @param {PageAddress} address */
const heldBack = ({ isEncrypted, isLoopback }) =>
  isLoopback
    ? "This machine alone. Notifications, and the page without a connection."
    : isEncrypted
      ? "Encrypted. Notifications, the page without a connection, and the home screen."
      : "Not encrypted: who is on the way reads along. No notifications, and no page without a " +
        "connection.";

/** @param {{device: Device}} props */
const Seen = ({ device }) => {
  const hasExpired = device.expiresAt && Date.parse(device.expiresAt) <= Date.now();
  return html`
    ${
      device.lastSeenAt
        ? html`seen <${Ago} ts=${device.lastSeenAt} /> from ${device.lastSeenFrom}`
        : "not seen yet"
    }
    ${
      hasExpired
        ? html` <${Badge} status="expired" />`
        : device.expiresAt && ` · until ${day(new Date(device.expiresAt))}`
    }
  `;
};

/** @param {{scopes: Scope[], onChange: (scopes: Scope[]) => void}} props */
const Scopes = ({ scopes, onChange }) =>
  SCOPES.map(
    ([scope, hint]) => html`<${Switch} key=${scope} label=${scope} hint=${hint}
      on=${scopes.includes(scope)}
      onChange=${(/** @type {boolean} */ on) =>
        onChange(on ? [...scopes, scope] : scopes.filter((other) => other !== scope))} />`,
  );

/** @param {{known: Device[], onClose: () => void}} props */
const Add = ({ known, onClose }) => {
  const [name, setName] = useState("");
  const [kind, setKind] = useState("own");
  const [scopes, setScopes] = useState(KINDS.own[1]);
  const [limits, setLimits] = useState(/** @type {FormLimits | null} */ (null));
  const [days, setDays] = useState("0");
  const [offer, setOffer] = useState(/** @type {PairingOffer | null} */ (null));
  const [made, setMade] = useState(/** @type {DeviceToken | null} */ (null));
  const [before] = useState(() => new Set(known.map(({ id }) => id)));
  const { busy, error, run } = useAct();
  const expiresAt =
    days === "0" ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
  const pair = () =>
    run("pair", async () => {
      const wanted = { name: name.trim() || null, scopes, expiresAt, requestedBy: ME };
      setOffer(await ask("/api/devices/pairings", wanted));
    });
  const make = () =>
    run("make", async () => {
      const wanted = {
        name: name.trim(),
        scopes,
        expiresAt,
        limits: limitsToSend(limits),
        requestedBy: ME,
      };
      setMade(await ask("/api/devices", wanted));
    });
  const paired = offer && known.find(({ id, isPaired }) => isPaired && !before.has(id));
  if (paired)
    return html`<${Dialog} title="It is signed in" onClose=${onClose}>
      <p role="status"><b>${paired.name}</b> may: ${paired.scopes.join(", ")}.</p>
      <div class="actions"><${Button} kind="primary" onClick=${onClose}>Done<//></div>
    <//>`;
  if (offer) return html`<${Offered} offer=${offer} onClose=${onClose} />`;
  if (made)
    return html`<${Dialog} title="Its token" onClose=${onClose}>
      <div class="stack">
        <p>This is shown once. Give it to <b>${made.name}</b>, which sends it as
          <code>Authorization: Bearer …</code></p>
        <${Code} text=${made.token} label="Token" />
        ${made.limits && html`<${ForCodex} />`}
      </div>
      <div class="actions"><${Button} kind="primary" onClick=${onClose}>Done<//></div>
    <//>`;
  return html`<${Dialog} title="Add a device" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        if (limits) make();
        else pair();
      }}>
      <${Field} label="Name" hint="A phone has one of its own, if you give none.">
        <input type="text" maxlength="200" value=${name}
          onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} />
      <//>
      <div class="field">
        <span class="label">What it may do</span>
        <${Choice} label="What it may do" value=${kind}
          onChange=${(/** @type {string} */ chosen) => {
            setKind(chosen);
            setScopes(KINDS[chosen][1]);
            setLimits(chosen === "agent" ? USUAL_LIMITS : null);
          }}
          options=${Object.entries(KINDS).map(([key, [words]]) => [key, words])} />
      </div>
      <details>
        <summary>${scopes.length ? scopes.join(", ") : "nothing"}</summary>
        <${Scopes} scopes=${scopes}
          onChange=${(/** @type {Scope[]} */ chosen) => {
            setKind("");
            setScopes(chosen);
          }} />
      </details>
      <${Limits} limits=${limits} onChange=${setLimits} />
      <${Field} label="Until">
        <select value=${days}
          onChange=${(/** @type {any} */ e) => setDays(e.currentTarget.value)}>
          ${DAYS.map(
            (count) => html`<option value=${String(count)}>
              ${count === 0 ? "I revoke it" : count === 1 ? "tomorrow" : `${count} days from now`}
            </option>`,
          )}
        </select>
      <//>
      <${Problem} error=${error} />
      ${
        !limits &&
        html`<${Button} kind="primary wide" type="submit" busy=${busy === "pair"}
          disabled=${Boolean(busy) || !scopes.length}>
          Show a code for a phone or browser
        <//>`
      }
      <${Button} kind=${limits ? "primary wide" : "wide"} busy=${busy === "make"} onClick=${make}
        disabled=${Boolean(busy) || !scopes.length || !name.trim()}>
        ${limits ? "Make a token for an agent" : "Make a token for a script"}
      <//>
    </form>
  <//>`;
};

/** @param {{offer: PairingOffer, onClose: () => void}} props */
const Offered = ({ offer, onClose }) => {
  const [url, setUrl] = useState(offer.places[0]?.url || "");
  const place = offer.places.find((one) => one.url === url);
  const isHere = /^https?:\/\/(127\.|localhost|\[::1\])/.test(url);
  return html`<${Dialog} title="Open this on the device" onClose=${onClose}>
    <div class="stack">
      ${
        place &&
        html`
          <${Qr} rows=${place.qr} label="QR code of the address" />
          <${Field} label="Address" hint=${isHere && "This address leads to this machine alone."}>
            <select value=${url}
              onChange=${(/** @type {any} */ e) => setUrl(e.currentTarget.value)}>
              ${offer.places.map(
                (one) => html`<option value=${one.url}>${one.url.split("/#/")[0]}</option>`,
              )}
            </select>
          <//>
        `
      }
      <p>Or open the page there, and type the code.</p>
      <p class="pairing-code"><code>${offer.code}</code></p>
      <p class="hint" role="status">
        It works once. <${Countdown} until=${offer.expiresAt} />
      </p>
    </div>
    <div class="actions"><${Button} onClick=${onClose}>Close<//></div>
  <//>`;
};

/** @param {{device: Device, onClose: () => void}} props */
const Change = ({ device, onClose }) => {
  const [name, setName] = useState(device.name);
  const [scopes, setScopes] = useState(device.scopes);
  const [limits, setLimits] = useState(formOf(device));
  const { busy, error, run } = useAct();
  const save = () =>
    run("save", async () => {
      await patch(`/api/devices/${device.id}`, {
        name: name.trim(),
        scopes,
        ...(!device.isPaired && { limits: limitsToSend(limits) }),
        requestedBy: ME,
      });
      onClose();
    });
  return html`<${Dialog} title=${`Change ${device.name}`} onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        save();
      }}>
      <${Field} label="Name">
        <input type="text" required maxlength="200" value=${name}
          onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} />
      <//>
      <${Scopes} scopes=${scopes} onChange=${setScopes} />
      ${!device.isPaired && html`<${Limits} limits=${limits} onChange=${setLimits} />`}
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy}
        disabled=${Boolean(busy) || !name.trim() || !scopes.length}>
        Save
      <//>
    </form>
  <//>`;
};
