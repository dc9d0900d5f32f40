// @ts-check
// A session in a list: what it is about, where, how long, and the last that was said.
/** @import { Session } from "../openapi.js" */
import { plain, Words } from "../format.js";
import { html } from "../html.js";
import { hostOf, placeOf } from "../store.js";
import { Ago, Elapsed } from "./basics.js";
import { StatusOf } from "./bridge.js";

/**
 * By its number where all are of one task.
 * @param {{session: Session, isOfTask?: boolean}} props
 */
export const SessionRow = ({ session, isOfTask }) => {
  const host = hostOf(session);
  const said = session.waitReason || session.exitReason || session.lastMessage;
  return html`<a class="row" href=${`#/sessions/${session.id}`}>
    <div class="row-main">
      <div class="row-title">${(!isOfTask && session.title) || `Session ${session.id}`}</div>
      <div class="row-note">
        ${isOfTask ? [Words(session.origin), host].filter(Boolean).join(" on ") : placeOf(session)}
        ${session.branchName && html` · ${session.branchName}`}
        ${said && html` · ${plain(said)}`}
      </div>
    </div>
    <div class="row-side">
      <${StatusOf} session=${session} />
      <span class="hint">
        ${
          session.finishedAt || !session.startedAt
            ? html`<${Ago} ts=${session.finishedAt || session.beginAfter} />`
            : html`<${Elapsed} from=${session.startedAt} />`
        }
      </span>
    </div>
  </a>`;
};
