// @ts-check
// What calls for attention while the page is open: a toast for what happened elsewhere, and, where
// it is allowed, a notification of the system's.
import { toast } from "./components/toasts.js";
import { Words } from "./format.js";
import { here } from "./router.js";
import { placeOf, state, taskOf } from "./store.js";

/** @import { Told } from "./store.js" */

/**
 * Tone, text and where it leads, by the type of the event.
 * @type {{[K in Told["type"]]?: (event: Extract<Told, {type: K}>) => [string, string, string] |
 * null}}
 */
const TOLD = {
  "approval.requested": (e) => ["ask", e.data.title, `/approvals/${e.approvalId}`],
  "approval.resolved": (e) =>
    e.actor === "web"
      ? null
      : [
          "plain",
          `${Words(e.data.status)} by ${e.actor}: ${approvalOf(e)}`,
          `/approvals/${e.approvalId}`,
        ],
  "approval.expiring": (e) => [
    "warn",
    `Expires soon: ${approvalOf(e)}`,
    `/approvals/${e.approvalId}`,
  ],
  "approval.expired": (e) => ["warn", `Expired: ${approvalOf(e)}`, `/approvals/${e.approvalId}`],
  "session.completed": (e) => ["good", `Done: ${titleOf(e)}`, `/sessions/${e.sessionId}`],
  "session.failed": (e) => ["bad", `Failed: ${titleOf(e)}`, `/sessions/${e.sessionId}`],
  "session.interrupted": (e) => ["warn", `Interrupted: ${titleOf(e)}`, `/sessions/${e.sessionId}`],
  "automation.paused": (e) => [
    "warn",
    `Paused: ${state.automations.get(e.automationId ?? 0)?.title}`,
    `/automations/${e.automationId}`,
  ],
  "limits.near": (e) => ["warn", `${Math.round(e.data.usedPercent)} % of a limit used`, "/account"],
  "limits.reached": () => ["warn", "A limit of Codex is reached: runs wait", "/account"],
  "limits.cap": (e) => ["warn", e.data.reason, "/account"],
  "limits.reset": () => ["good", "A limit of Codex has reset", "/account"],
  "actor.quarantined": (e) => ["bad", `Set aside: ${e.data.path}`, "/runtime"],
};
const WORTH_A_NOTIFICATION = new Set([
  "approval.requested",
  "approval.expiring",
  "session.failed",
  "automation.paused",
  "actor.quarantined",
]);
const SETTLED = new Set(["approval.resolved", "approval.expired"]);
const OLD_MS = 60_000;

/** @param {Told} event */
const approvalOf = (event) =>
  state.approvals.get(event.approvalId ?? 0)?.title || `approval ${event.approvalId}`;

/** @param {Told} event */
const titleOf = (event) =>
  state.sessions.get(event.sessionId ?? 0)?.title ||
  taskOf(event)?.title ||
  `session ${event.sessionId}`;

/** Tell of an event, where somebody should know of it. @param {Told} event */
export function notice(event) {
  if (SETTLED.has(event.type)) withdraw(`/approvals/${event.approvalId}`);
  const tell = /** @type {((event: Told) => [string, string, string] | null) | undefined} */ (
    TOLD[event.type]
  );
  const told = Date.now() - Date.parse(event.ts) < OLD_MS && tell?.(event);
  if (!told) return;
  const [tone, text, where] = told;
  if (!isShown(where, event)) toast({ tone, text, where, note: placeOf(event) });
  const allowed = "Notification" in window && Notification.permission === "granted";
  if (allowed && document.hidden && WORTH_A_NOTIFICATION.has(event.type)) notify(text, where);
}

/**
 * Whether the screen is where it leads, or the transcript in which it stands.
 * @param {string} where
 * @param {Told} event
 */
function isShown(where, event) {
  const { path, params } = here();
  return path === where || (path === `/sessions/${event.sessionId}` && !params.has("pane"));
}

/**
 * By the service worker, for a phone takes it from nowhere else; a press on it comes to there.
 * Where none is, by the page. One place has one notification, however many pages are open.
 * @param {string} text @param {string} where
 */
async function notify(text, where) {
  const told = { body: text, tag: where, icon: "/web/icons/icon-192.png", data: { where } };
  const worker = await navigator.serviceWorker?.getRegistration();
  if (await worker?.pushManager?.getSubscription()) return; // by which it is told
  if (worker?.active) {
    worker.active.postMessage({ show: told });
    return;
  }
  const shown = new Notification("Command Center", told);
  shown.onclick = () => {
    focus();
    location.hash = where;
    shown.close();
  };
}

/** What is settled calls for nobody. @param {string} where */
async function withdraw(where) {
  const worker = await navigator.serviceWorker?.getRegistration();
  worker?.active?.postMessage({ withdraw: where });
}
