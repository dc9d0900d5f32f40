// @ts-check
// The shell without a network: the page, its modules and styles, as they were last served. Data of
// the API is never kept, and with a network the server's files are always the ones that are used.
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
  event.notification.close();
  event.waitUntil(comeTo(event.notification.data.where));
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
