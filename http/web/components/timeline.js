// @ts-check
// Every stored event of a session or a task, with who did it; the newest last.
/** @import { Event } from "../openapi.js" */
import { exact, clock } from "../format.js";
import { html, useState } from "../html.js";

const WINDOW = 100;

/** @type {Record<string, (data: any) => string>} */
const SAID = {
  "session.queued": (d) => d.reason || d.waitReason || "waits for its turn",
  "session.item": (d) => d.type,
  "session.steer.requested": (d) => `“${d.message}”`,
  "session.stop.requested": (d) => d.reason || "",
  "session.warning": (d) => d.message,
  "session.followup.queued": (d) => (d.message ? `“${d.message}”` : ""),
  "approval.requested": (d) => d.title,
  "approval.resolved": (d) => [d.status, d.note && `“${d.note}”`].filter(Boolean).join(" · "),
  "automation.fired": (d) => d.trigger || "",
};

/** @param {Event} event */
export function sentence(event) {
  const data = event.data || {};
  const said = SAID[event.type]?.(data);
  if (said) return said;
  if (data.exitReason) return data.exitReason;
  if (data.reason && typeof data.reason === "string") return data.reason;
  return data.from && data.to ? `${data.from} → ${data.to}` : "";
}

/** @param {{events: Event[]}} props */
export const Timeline = ({ events }) => {
  const [shown, setShown] = useState(WINDOW);
  const hidden = Math.max(0, events.length - shown);
  return html`<div>
    ${hidden > 0 && html`<button type="button" class="button quiet wide" onClick=${() => setShown(shown + 4 * WINDOW)}>Show earlier (${hidden})</button>`}
    <ol class="timeline" aria-label="Timeline">
      ${events.slice(hidden).map((event) => html`<li key=${event.id} data-thing=${event.type.split(".").at(-1)}>
        <time title=${exact(event.ts)}>${clock(new Date(event.ts))}</time>
        <div><b>${event.type}</b> <span class="actor">${event.actor}</span>
          <div class="said">${sentence(event)}</div></div>
        <span class="no">#${event.id}</span>
      </li>`)}
    </ol>
  </div>`;
};
