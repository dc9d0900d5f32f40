// @ts-check
// What needs one: approvals page by page, put off or decided together; and what was seen.
/** @import { Approval, InboxMark, NewMarks } from "../openapi.js" */
import { ApiError, get, ME, put } from "../api.js";
import { html, useEffect, useState } from "../html.js";
import { changed, useStore } from "../store.js";
import { ApprovalCard } from "./approval.js";
import { Button, lazily, Problem, useAct, useLoaded, useTick } from "./basics.js";
import { Icon } from "./icon.js";

const Many = lazily(() => import("./many.js"), "Many");
const Later = lazily(() => import("./later.js"), "Later");

const PAGE = 20; // cards at a time
const DAY_MS = 86_400_000;

/** The marks that hold now; of each kind and thing one. @returns {Map<string, InboxMark>} */
export function useMarks() {
  const [marks] = useLoaded(() => get("/api/inbox/marks"), [], useStore("inbox"));
  useTick(30_000);
  const now = Date.now();
  const held = (marks?.items || []).filter(({ until }) => !until || Date.parse(until) > now);
  return new Map(held.map((mark) => [`${mark.kind} ${mark.recordId}`, mark]));
}

/**
 * Dismiss things, or put them off until a moment.
 * @param {NewMarks["kind"]} kind @param {number[]} ids @param {Date} [until]
 */
export async function mark(kind, ids, until) {
  await put("/api/inbox/marks", {
    kind,
    ids,
    until: until ? until.toISOString() : null,
    requestedBy: ME,
  });
  changed("inbox");
}

/** What has failed needs nobody who has seen it. @param {any} session */
export function useSeen(session) {
  const isDue =
    (session?.status === "failed" || session?.status === "interrupted") &&
    Date.now() - Date.parse(session.finishedAt || "") < DAY_MS;
  useEffect(() => {
    if (!isDue) return;
    mark("session", [session.id]).catch((error) => {
      if (!(error instanceof ApiError)) throw error; // else it stays in the inbox
    });
  }, [session?.id, isDue]);
}

/**
 * Take something out of the inbox.
 * @param {{name: string, onDismiss: () => Promise<void>}} props
 */
export const Dismiss = ({ name, onDismiss }) => {
  const { busy, error, run } = useAct();
  return html`
    <${Problem} error=${error} />
    <button type="button" class="icon-button" aria-label=${`Dismiss ${name}`}
      disabled=${Boolean(busy)} onClick=${() => run("dismiss", onDismiss)}>
      <${Icon} name="cross" size=${16} />
    </button>
  `;
};

/**
 * Approvals, the first of them; several of one kind can be decided together once they are shown.
 * @param {{approvals: Approval[]}} props
 */
export const OpenApprovals = ({ approvals }) => {
  const [shown, setShown] = useState(PAGE);
  const [later, setLater] = useState(0);
  const [isMany, setMany] = useState(false);
  const [chosen, setChosen] = useState(/** @type {number[]} */ ([]));
  const here = approvals.slice(0, shown);
  const some = here.filter(({ id, status }) => status === "pending" && chosen.includes(id));
  const kind = some[0]?.kind;
  const pending = here.filter(({ status }) => status === "pending");
  /** @param {number} id @param {boolean} on */
  const choose = (id, on) =>
    setChosen(on ? [...chosen, id] : chosen.filter((other) => other !== id));
  return html`
    ${
      pending.length > 1 &&
      html`<button type="button" class="link" aria-pressed=${isMany}
        onClick=${() => {
          setMany(!isMany);
          setChosen([]);
        }}>
        ${isMany ? "Decide one by one" : "Decide several together"}
      </button>`
    }
    <div class="cards">
      ${here.map(
        (a) => html`<${ApprovalCard} key=${a.id} approval=${a}>
          ${
            isMany &&
            html`<label class="check">
              <input type="checkbox" checked=${chosen.includes(a.id)}
                disabled=${Boolean(kind && kind !== a.kind)}
                onChange=${(/** @type {any} */ e) => choose(a.id, e.currentTarget.checked)} />
              <span>Select</span>
            </label>`
          }
          ${
            later === a.id
              ? html`<${Later} approval=${a} />`
              : html`<button type="button" class="link" onClick=${() => setLater(a.id)}>
                Later…
              </button>`
          }
        <//>`,
      )}
    </div>
    ${
      approvals.length > shown &&
      html`<${Button} kind="quiet wide" onClick=${() => setShown(shown + PAGE)}>
        Show more (${approvals.length - shown})
      <//>`
    }
    ${some.length > 0 && html`<${Many} chosen=${some} onDone=${() => setChosen([])} />`}
  `;
};
