// @ts-check
// Notifications: this browser's, those of Apprise's places, and webhooks with their deliveries.
import { ask, every, get, ME, patch, remove } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Code,
  Confirm,
  Dialog,
  Empty,
  Field,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { Kinds, Push, toldOf } from "../components/push.js";
import { html, useEffect, useState } from "../html.js";
import { useStore } from "../store.js";

/** @import { MadeWebhook, NotifyTarget, ShownWebhook, WebhookDelivery } from "../openapi.js" */

const USUAL = "approval.requested, session.completed, session.failed, session.interrupted";
const LOOK_MS = 2000; // between looks at deliveries, which are no events

export const Notifications = () => {
  const version = useStore("webhooks");
  const [webhooks, error] = useLoaded(() => every("/api/webhooks"), [], version);
  const told = useStore("notify");
  const [places, unknown] = useLoaded(() => get("/api/notify/targets"), [], told);
  const [adding, setAdding] = useState(false);
  return html`
    <${Head} title="Notifications" note="Who is told what happens while nobody looks" />
    <div class="stack wide-gap">
    <section class="stack" aria-labelledby="browser">
      <h2 id="browser" class="section">This browser</h2>
      <${Browser} />
    </section>
    <section class="stack" aria-labelledby="places">
      <h2 id="places" class="section">Chats and e-mail</h2>
      <${Problem} error=${unknown} />
      ${
        places &&
        (places.items.length
          ? html`<ul class="rows">
            ${places.items.map((place) => html`<${Place} key=${place.id} place=${place} />`)}
          </ul>`
          : html`<p class="hint">
            ntfy, Slack, Discord, e-mail and a hundred more are told with
            <code>CC_NOTIFY_URLS</code>, Telegram with <code>CC_TELEGRAM_MODE</code>.
          </p>`)
      }
    </section>
    <section class="stack" aria-labelledby="webhooks">
      <h2 id="webhooks" class="section">Webhooks</h2>
      <${Problem} error=${error} />
      ${
        !webhooks
          ? !error && html`<${Loading} />`
          : webhooks.length === 0
            ? html`<p class="hint">
              A program of yours is sent each event of the types that you choose, signed.
            </p>`
            : html`<ul class="rows">
              ${webhooks.map(
                (webhook) => html`<li key=${webhook.id}>
                  <a class="row" href=${`#/notifications/${webhook.id}`}>
                    <div class="row-main">
                      <div class="row-title">${webhook.url}</div>
                      <div class="row-note">${webhook.types.join(", ")}</div>
                      <div class="row-note"><${Health} webhook=${webhook} /></div>
                    </div>
                    <${Badge} status=${webhook.status} />
                    <${Icon} name="chevron" size=${16} />
                  </a>
                </li>`,
              )}
            </ul>`
      }
      ${
        webhooks &&
        html`<div class="actions">
          <${Button} icon="plus" onClick=${() => setAdding(true)}>Add a webhook<//>
        </div>`
      }
    </section>
    </div>
    ${adding && html`<${Add} onClose=${() => setAdding(false)} />`}
  `;
};

const Browser = () => {
  const [allowed, setAllowed] = useState(
    "Notification" in window ? Notification.permission : "unsupported",
  );
  if (allowed === "granted") return html`<p class="hint">On, while a page is open.</p><${Push} />`;
  if (allowed === "default")
    return html`<div>
      <${Button} icon="bell"
        onClick=${async () => setAllowed(await Notification.requestPermission())}>
        Allow notifications
      <//>
    </div>`;
  return html`<p class="hint">
    ${
      allowed === "denied"
        ? "The browser refuses them for this page."
        : "This browser has none here: the page has to be one of https, or of this machine."
    }
  </p>`;
};

/** @param {{place: NotifyTarget}} props */
const Place = ({ place }) => {
  const { busy, error, run } = useAct();
  const [isSent, setSent] = useState(false);
  const [kinds, setKinds] = useState(place.kinds);
  useEffect(() => setKinds(place.kinds), [place]);
  const choose = (/** @type {NotifyTarget["kinds"]} */ chosen) =>
    run("kinds", async () => {
      const wanted = { kinds: chosen, requestedBy: ME };
      setKinds((await patch(`/api/notify/targets/${place.id}`, wanted)).kinds);
    });
  const test = () =>
    run("test", async () => {
      await ask(`/api/notify/targets/${place.id}/test`, undefined);
      setSent(true);
    });
  return html`<li class="row device-row">
    <div class="row-main">
      <div class="row-title">${place.service}</div>
      <div class="row-note">${place.url}</div>
      <div class="row-note" role="status">
        ${
          isSent
            ? "A test is on its way."
            : place.error ||
              (place.lastSentAt ? html`told <${Ago} ts=${place.lastSentAt} />` : "not told yet")
        }
      </div>
      <details>
        <summary class="hint">${toldOf(kinds)}</summary>
        <${Kinds} kinds=${kinds} legend=${`Tell ${place.service} of`} disabled=${busy === "kinds"}
          onChange=${choose} />
      </details>
      <${Problem} error=${error} />
    </div>
    <div class="actions">
      <${Button} busy=${busy === "test"} onClick=${test}
        aria-label=${`Send a test to ${place.service}`}>
        Send a test
      <//>
    </div>
  </li>`;
};

/** @param {{webhook: ShownWebhook}} props */
const Health = ({ webhook }) =>
  webhook.error
    ? html`<span>${webhook.error}</span>`
    : webhook.lastDeliveredAt
      ? html`took the last <${Ago} ts=${webhook.lastDeliveredAt} />`
      : "nothing sent yet";

/** @param {{onClose: () => void}} props */
const Add = ({ onClose }) => {
  const [url, setUrl] = useState("");
  const [types, setTypes] = useState(USUAL);
  const [made, setMade] = useState(/** @type {MadeWebhook | null} */ (null));
  const { busy, error, run } = useAct();
  const add = () =>
    run("add", async () => {
      const wanted = { url: url.trim(), types: listed(types), requestedBy: ME };
      setMade(await ask("/api/webhooks", wanted));
    });
  if (made)
    return html`<${Dialog} title="Its secret" onClose=${onClose}>
      <div class="stack">
        <p>This is shown once. Your program verifies with it what it is sent.</p>
        <${Code} text=${made.secret} label="Secret" />
      </div>
      <div class="actions"><${Button} kind="primary" onClick=${onClose}>Done<//></div>
    <//>`;
  return html`<${Dialog} title="Add a webhook" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        add();
      }}>
      <${Field} label="Address">
        <input type="url" required maxlength="2000" placeholder="https://" value=${url}
          onInput=${(/** @type {any} */ e) => setUrl(e.currentTarget.value)} />
      <//>
      <${Field} label="Types of events" hint="With commas between them; * is all.">
        <textarea rows="3" required value=${types}
          onInput=${(/** @type {any} */ e) => setTypes(e.currentTarget.value)} />
      <//>
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy}
        disabled=${Boolean(busy) || !url.trim() || !listed(types).length}>
        Add
      <//>
    </form>
  <//>`;
};

/** @param {string} types */
const listed = (types) => types.split(/[\s,]+/).filter(Boolean);

/** @param {{id: number}} props */
export const Webhook = ({ id }) => {
  const version = useStore("webhooks");
  const [webhook, error, look] = useLoaded(() => get(`/api/webhooks/${id}`), [id], version);
  const [sent, unsent, lookAgain] = useLoaded(
    () => get(`/api/webhooks/${id}/deliveries`, { limit: 100 }),
    [id],
    version,
  );
  const lookAtBoth = () => {
    look();
    lookAgain();
  };
  useEffect(() => {
    const timer = setInterval(() => document.hidden || lookAtBoth(), LOOK_MS);
    return () => clearInterval(timer);
  }, [id]);
  const [isLeaving, setLeaving] = useState(false);
  const { busy, error: failure, run } = useAct();
  /** @param {string} name @param {() => Promise<any>} act */
  const act = (name, act) =>
    run(name, async () => {
      await act();
      lookAtBoth();
    });
  const back = "/notifications";
  if (error) return html`<${Head} title="Webhook" back=${back} /><${Problem} error=${error} />`;
  if (!webhook) return html`<${Loading} />`;
  const isPaused = webhook.status === "paused";
  return html`
    <${Head} title=${webhook.url} back=${back} note=${webhook.types.join(", ")} />
    <p><${Badge} status=${webhook.status} /> <${Health} webhook=${webhook} /></p>
    <div class="actions apart">
      <${Button} busy=${busy === "test"}
        onClick=${() => act("test", () => ask(`/api/webhooks/${id}/test`, { requestedBy: ME }))}>
        Send a test
      <//>
      <${Button} busy=${busy === "pause"}
        onClick=${() =>
          act("pause", () =>
            patch(`/api/webhooks/${id}`, {
              status: isPaused ? "active" : "paused",
              requestedBy: ME,
            }),
          )}>
        ${isPaused ? "Resume" : "Pause"}
      <//>
      <${Button} kind="danger" onClick=${() => setLeaving(true)}>Remove<//>
    </div>
    <${Problem} error=${failure || unsent} />
    <h2 class="section apart">Deliveries</h2>
    ${
      sent &&
      (sent.items.length === 0
        ? html`<${Empty} icon="bell" title="Nothing was sent yet" />`
        : html`<ul class="rows">
          ${sent.items.map(
            (one) => html`<li key=${one.id} class="row">
              <div class="row-main">
                <div class="row-title">${one.type} <span class="hint">#${one.eventId}</span></div>
                <div class="hint">
                  <${Badge} status=${one.status} /> <${Outcome} delivery=${one} />
                </div>
              </div>
              <${Button} busy=${busy === `resend ${one.id}`}
                aria-label=${`Again event ${one.eventId}`}
                onClick=${() =>
                  act(`resend ${one.id}`, () =>
                    ask(`/api/webhooks/${id}/deliveries/${one.id}/resend`, undefined),
                  )}>
                Again
              <//>
            </li>`,
          )}
        </ul>`)
    }
    ${
      isLeaving &&
      html`<${Confirm} title="Remove this webhook?" label="Remove"
        act=${async () => {
          await remove(`/api/webhooks/${id}`, { requestedBy: ME });
          location.hash = "/notifications";
        }}
        onClose=${() => setLeaving(false)}>
        <p>Nothing is sent there any more, and its deliveries are forgotten.</p>
      <//>`
    }
  `;
};

/** @param {{delivery: WebhookDelivery}} props */
const Outcome = ({ delivery }) => html`
  <${Ago} ts=${delivery.updatedAt} />
  ${delivery.responseStatus ? ` · ${delivery.responseStatus}` : ""}
  ${delivery.milliseconds === null ? "" : ` in ${delivery.milliseconds} ms`}
  ${delivery.attempts > 1 ? ` · ${delivery.attempts} attempts` : ""}
  ${delivery.error ? ` · ${delivery.error}` : ""}
`;
