// @ts-check
// Web Push: this browser is told with the page closed. The browser has the subscription, and the
// server has it too: what either has lost is made again when the page is opened.
import { ApiError, ask, get, ME, remove } from "./api.js";

/** @import { SubscribedBrowser } from "./openapi.js" */

/** Kept where the browser was subscribed here, for a service may end that at any time. */
const WANTED = "push";

/** A browser has it for a page of https, or of this machine; a phone may want it installed. */
export const canPush = () =>
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** The key to subscribe with; null where the server was installed without Web Push. */
export async function pushKey() {
  try {
    return (await get("/api/push/key")).key;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return null;
    throw error;
  }
}

/** This browser as the server tells it; null where it is not told. */
export async function subscribed() {
  const isWanted = localStorage.getItem(WANTED) !== null && Notification.permission === "granted";
  return isWanted ? subscribe() : null;
}

/** Have this browser told from now on. @returns {Promise<SubscribedBrowser>} */
export async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted")
    throw new ApiError(0, "The browser refuses notifications for this page.");
  const key = await pushKey();
  if (key === null) throw new ApiError(409, "This server was installed without Web Push.");
  const { endpoint, keys } = /** @type {any} */ ((await subscription(key)).toJSON());
  const made = await ask("/api/push/subscriptions", { endpoint, keys, requestedBy: ME });
  localStorage.setItem(WANTED, String(made.id));
  return made;
}

/** Have this browser told no more. @param {SubscribedBrowser} told */
export async function unsubscribe(told) {
  localStorage.removeItem(WANTED);
  await remove(`/api/push/subscriptions/${told.id}`, { requestedBy: ME });
  const { pushManager } = await navigator.serviceWorker.ready;
  await (await pushManager.getSubscription())?.unsubscribe();
}

/** Tell this browser no more, since who used it leaves. */
export async function endPush() {
  const told = canPush() && (await subscribed());
  if (told) await unsubscribe(told);
}

/** Make again what was lost, when the page is opened. */
export async function renewPush() {
  if (!canPush()) return;
  try {
    await subscribed();
  } catch {
    // The page works all the same, and says why where notifications are chosen.
  }
}

/** The browser's subscription by the server's key. @param {string} key */
async function subscription(key) {
  const { pushManager } = await navigator.serviceWorker.ready;
  const found = await pushManager.getSubscription();
  if (found && keyOf(found) === key) return found;
  await found?.unsubscribe();
  try {
    return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError(0, `The browser cannot reach its push service: ${reason}`);
  }
}

/** @param {PushSubscription} found */
function keyOf(found) {
  const bytes = new Uint8Array(found.options.applicationServerKey || new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
