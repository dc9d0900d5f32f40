// @ts-check
// Passkeys: signing in by one, and those that there are.
import { every, ME, remove } from "../api.js";
import { connect } from "../connection.js";
import { html, useState } from "../html.js";
import { areKnown, canUse, make, signIn } from "../passkeys.js";
import { ownName } from "../screens/pair.js";
import { useStore } from "../store.js";
import { Ago, Button, Confirm, Problem, useAct, useLoaded } from "./basics.js";

/** @import { Device, ShownPasskey } from "../openapi.js" */

/** Nothing where this browser or the server has none. */
export const PasskeySignIn = () => {
  const [isKnown] = useLoaded(areKnown, []);
  const { busy, error, run } = useAct();
  if (!isKnown) return null;
  const submit = () =>
    run("passkey", async () => {
      await signIn();
      await connect();
    });
  return html`
    <${Button} kind="wide" busy=${busy} onClick=${submit}>Sign in with a passkey<//>
    <${Problem} error=${error} />
  `;
};

/** @param {{devices: Device[]}} props */
export const Passkeys = ({ devices }) => {
  const version = useStore("devices");
  const [passkeys, error] = useLoaded(() => every("/api/passkeys"), [], version);
  const [removed, setRemoved] = useState(/** @type {ShownPasskey | null} */ (null));
  const { busy, error: failure, run } = useAct();
  const add = () => run("make", () => make(ownName()));
  /** @param {number} id */
  const nameOf = (id) => devices.find((device) => device.id === id)?.name || `Device ${id}`;
  return html`
    <h2 class="section apart">Passkeys</h2>
    <${Problem} error=${error} />
    ${
      passkeys &&
      passkeys.length > 0 &&
      html`<ul class="rows" aria-label="Passkeys">
        ${passkeys.map(
          (passkey) => html`<li key=${passkey.id} class="row">
            <div class="row-main">
              <div class="row-title">${nameOf(passkey.deviceId)}</div>
              <div class="hint">
                for ${passkey.host} ·${" "}
                ${
                  passkey.lastUsedAt
                    ? html`signed in <${Ago} ts=${passkey.lastUsedAt} />`
                    : html`made <${Ago} ts=${passkey.createdAt} />, not used yet`
                }
              </div>
            </div>
            <${Button} kind="danger" onClick=${() => setRemoved(passkey)}
              aria-label=${`Remove the passkey of ${nameOf(passkey.deviceId)}`}>
              Remove
            <//>
          </li>`,
        )}
      </ul>`
    }
    <p class="hint apart">
      ${
        canUse()
          ? "Sign in by a fingerprint, a face or a security key instead of the token."
          : "A browser has passkeys only for a page of https under a name, or of http://localhost."
      }
    </p>
    <${Problem} error=${failure} />
    ${
      canUse() &&
      html`<div class="actions start apart">
        <${Button} icon="plus" busy=${busy} onClick=${add}>Make a passkey<//>
      </div>`
    }
    ${
      removed &&
      html`<${Confirm} title="Remove this passkey?" label="Remove"
        act=${() => remove(`/api/passkeys/${removed.id}`, { requestedBy: ME })}
        onClose=${() => setRemoved(null)}>
        <p>It signs in no more. What is signed in by it stays so until its device is revoked.</p>
      <//>`
    }
  `;
};
