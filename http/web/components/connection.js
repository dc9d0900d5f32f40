// @ts-check
// Whether what is shown is current; if not, as of when.
import { clock, duration } from "../format.js";
import { html } from "../html.js";
import { connect } from "../connection.js";
import { state, useStore } from "../store.js";
import { useTick } from "./basics.js";
import { Icon } from "./icon.js";

export const Connection = () => {
  useStore("connection");
  const isOffline = state.phase === "offline";
  useTick(isOffline ? 1000 : 0);
  if (!isOffline)
    return html`
      <div role="status" class="visually-hidden">
        ${state.phase === "live" ? "Live" : "Connecting"}
      </div>
      ${
        state.isOutdated &&
        html`<div role="status" class="offline">
          <${Icon} name="refresh" size=${18} />
          <span>Command Center was updated</span>
          <button type="button" class="link" onClick=${() => location.reload()}>
            Load it anew
          </button>
        </div>`
      }
    `;
  const left = Math.ceil((state.retryAt - Date.now()) / 1000);
  return html`<div role="status" class="offline">
    <${Icon} name="warning" size=${18} />
    <span>
      ${
        state.lastId === null
          ? "Command Center cannot be reached"
          : html`Offline, as of ${clock(state.asOf)}`
      }
      <span class="hint">${left > 0 ? ` · again in ${duration(left)}` : " · connecting…"}</span>
    </span>
    <button type="button" class="link" onClick=${connect}>Try now</button>
  </div>`;
};
