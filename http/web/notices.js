// @ts-check
// What calls for attention while the page is open: the number in the title and the icon, a toast
// for what happened elsewhere, and, where it is allowed, a notification of the system's.
import { toast } from "./components/toasts.js";
import { onEvent, pendingApprovals, state, taskOf, useStore } from "./store.js";
import { html, render } from "./html.js";

/** @import { Told } from "./store.js" */

/** @type {Record<string, (event: Told) => [string, string, string] | null>} tone, text, where */
const TOLD = {
  "approval.requested": (e) => ["ask", e.data.title, `/approvals/${e.approvalId}`],
  "approval.resolved": (e) => (e.actor === "web" ? null : ["plain", `${e.data.status === "approved" ? "Approved" : "Settled"} by ${e.actor}`, `/approvals/${e.approvalId}`]),
  "approval.expired": (e) => ["warn", "An approval expired", `/approvals/${e.approvalId}`],
  "session.completed": (e) => ["good", `Done: ${titleOf(e)}`, `/sessions/${e.sessionId}`],
  "session.failed": (e) => ["bad", `Failed: ${titleOf(e)}`, `/sessions/${e.sessionId}`],
  "session.interrupted": (e) => ["warn", `Interrupted: ${titleOf(e)}`, `/sessions/${e.sessionId}`],
  "automation.paused": (e) => ["warn", `Paused: ${state.automations.get(e.automationId ?? 0)?.title}`, `/automations/${e.automationId}`],
  "actor.quarantined": (e) => ["bad", `Given up: ${e.data.path}`, "/runtime"],
};
const WORTH_A_NOTIFICATION = new Set(["approval.requested", "session.failed", "automation.paused", "actor.quarantined"]);
const OLD_MS = 60_000;

/** @param {Told} event */
const titleOf = (event) => taskOf(event)?.title || `session ${event.sessionId}`;

export function startNotices() {
  onEvent((event) => {
    const told = Date.now() - Date.parse(event.ts) < OLD_MS && TOLD[event.type]?.(event);
    if (!told) return;
    const [tone, text, where] = told;
    if (location.hash !== `#${where}`) toast({ tone, text, where, event });
    const allowed = "Notification" in window && Notification.permission === "granted";
    if (allowed && document.hidden && WORTH_A_NOTIFICATION.has(event.type)) notify(text, where, event);
  });
  const mount = document.createElement("div");
  render(html`<${Title} />`, mount);
}

/** @param {string} text @param {string} where @param {Told} event */
function notify(text, where, event) {
  const shown = new Notification("Command Center", { body: text, tag: `event-${event.id}`, icon: "/web/icons/icon-192.png" });
  shown.onclick = () => {
    focus();
    location.hash = where;
  };
}

const Title = () => {
  useStore("approvals", "connection");
  const count = state.phase === "signin" ? 0 : pendingApprovals().length;
  document.title = count ? `(${count}) Command Center` : "Command Center";
  const icon = document.getElementById("favicon");
  icon?.setAttribute("href", count ? "/web/icons/icon-alert.svg" : "/web/icons/icon.svg");
  const setBadge = /** @type {any} */ (navigator).setAppBadge;
  if (setBadge) setBadge.call(navigator, count).catch(() => {});
  return null;
};
