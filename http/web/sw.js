// @ts-check
// The shell without a network: the page, its modules and styles, as they were last served. Data of
// the API is never kept, and with a network the server's files are always the ones that are used.
// And notifications: those of the page, and those that the browser's push service brings.
const CACHE = "shell-1";

self.addEventListener("install", () => /** @type {any} */ (self).skipWaiting());
self.addEventListener("activate", (event) =>
  /** @type {any} */ (event).waitUntil(/** @type {any} */ (self).clients.claim()),
);

self.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  const isShell =
    url.origin === location.origin && (url.pathname === "/" || url.pathname.startsWith("/web/"));
  if (event.request.method === "GET" && isShell) event.respondWith(fromNetwork(event));
});

/** @param {any} event */
async function fromNetwork(event) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(event.request);
  } catch (error) {
    const kept = await caches.match(event.request);
    if (kept) return kept;
    throw error;
  }
  if (answer.ok) event.waitUntil(keep(event.request, answer.clone()));
  return answer;
}

/** The release whose module or style it is. @param {Request} request */
const releaseOf = ({ url }) => /\/web\/([0-9a-f]{12})\//.exec(url)?.[1];

/** Of one release at a time. @param {Request} request @param {Response} answer */
async function keep(request, answer) {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(request, answer);
    if (!request.url.endsWith("/app.js")) return; // which each page has
    for (const kept of await cache.keys())
      if ((releaseOf(kept) ?? releaseOf(request)) !== releaseOf(request)) await cache.delete(kept);
  } catch {
    // Where there is no room for it, the page works all the same.
  }
}

self.addEventListener("notificationclick", (/** @type {any} */ event) => {
  const { where, capability } = event.notification.data;
  event.notification.close();
  event.waitUntil(
    capability && event.action ? decide(capability, event.action, where) : comeTo(where),
  );
});

/**
 * A page that is open is shown and goes there; without one, one is opened.
 * @param {string} where
 */
async function comeTo(where) {
  const { clients } = /** @type {any} */ (self);
  const [page] = await clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!page) return clients.openWindow(`/#${where}`);
  page.postMessage({ goTo: where });
  return page.focus().catch(() => {}); // a browser may refuse; the page has gone there all the same
}

let done = Promise.resolve();

/**
 * Show and withdraw one after the other. Chromium forgets a notification that is being shown while
 * any are asked for: it stays on the screen, and a press on it does nothing.
 * @param {any} event @param {() => Promise<void>} act
 */
const inTurn = (event, act) => event.waitUntil((done = done.then(act, act)));

self.addEventListener("push", (/** @type {any} */ event) => inTurn(event, () => tell(event)));

// What a page shows and withdraws.
self.addEventListener("message", (/** @type {any} */ event) => {
  const { show, withdraw } = event.data;
  const { registration } = /** @type {any} */ (self);
  if (show) inTurn(event, () => registration.showNotification("Command Center", show));
  if (withdraw) inTurn(event, () => withdrawAll(withdraw));
});

/** @param {string} where */
async function withdrawAll(where) {
  const { registration } = /** @type {any} */ (self);
  for (const shown of await registration.getNotifications({ tag: where })) shown.close();
}

/**
 * Show what the server has left at the push service. A browser wants to see a notification for each
 * push: what was settled elsewhere takes the question's place, and goes where a page is looked at.
 * @param {any} event
 */
async function tell(event) {
  const { clients, registration } = /** @type {any} */ (self);
  const { title, body, where, silent, settled, capability } = read(event.data);
  await registration.showNotification(title, {
    body,
    silent,
    tag: where,
    renotify: !silent,
    icon: "/web/icons/icon-192.png",
    requireInteraction: Boolean(capability),
    actions: capability
      ? [
          { action: "approved", title: "Approve" },
          { action: "rejected", title: "Reject" },
        ]
      : [],
    data: { where, capability },
  });
  const pages = settled ? await clients.matchAll({ type: "window" }) : [];
  const isLookedAt = pages.some((/** @type {any} */ page) => page.visibilityState === "visible");
  if (isLookedAt) await withdrawAll(where);
}

/** @param {any} data */
function read(data) {
  try {
    return data.json();
  } catch {
    const body = "Open the page to see what has happened.";
    return { title: "Command Center", body, where: "/", silent: true };
  }
}

/**
 * Decide on the approval that a notification showed. Where that fails, since it is settled or the
 * server is out of reach, the page says so.
 * @param {string} capability @param {string} status @param {string} where
 */
async function decide(capability, status, where) {
  try {
    const answer = await post("/api/push/decisions", { capability, status });
    if (answer.ok) return;
  } catch {
    // as well
  }
  await comeTo(where);
}

self.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) =>
  event.waitUntil(renew(event)),
);

/** The push service gave the browser another endpoint, or none. @param {any} event */
async function renew({ oldSubscription, newSubscription }) {
  const { pushManager } = /** @type {any} */ (self).registration;
  const { key } = await (await fetch("/api/push/key")).json();
  const made =
    newSubscription ||
    (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { endpoint, keys } = made.toJSON();
  const replaces = oldSubscription?.endpoint ?? null;
  await post("/api/push/subscriptions", { endpoint, keys, replaces, requestedBy: "web" });
}

/** @param {string} path @param {object} body */
const post = (path, body) =>
  fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
