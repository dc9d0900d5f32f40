// @ts-check
// Comments on the lines that a session has changed: written under them, and sent all together.
import { ME, patch, post, remove } from "../api.js";
import { plural, Words } from "../format.js";
import { html, useState } from "../html.js";
import { sheet } from "../sheets.js";
import { can, ENDED, learn } from "../store.js";
import { Badge, Button, focused, Problem, useAct } from "./basics.js";

sheet("./styles/changes.css");

/** @import { PlacedComment, Session } from "../openapi.js" */
/** @import { DiffSide } from "./diff.js" */

/**
 * Where one writes; a key sends it, too.
 * @param {{text?: string, label: string, act: (text: string) => Promise<any>, onClose: () => void}}
 * props
 */
const Writing = ({ text: before = "", label, act, onClose }) => {
  const [text, setText] = useState(before);
  const { busy, error, run } = useAct();
  const keep = () =>
    run("keep", async () => {
      await act(text.trim());
      onClose();
    });
  return html`<form class="writing"
    onSubmit=${(/** @type {any} */ e) => {
      e.preventDefault();
      if (text.trim()) keep();
    }}>
    <textarea rows="3" value=${text} aria-label=${label} ref=${focused}
      onInput=${(/** @type {any} */ e) => setText(e.currentTarget.value)}
      onKeyDown=${(/** @type {any} */ e) => {
        if (e.key === "Enter" && (e.metaKey || e.ctrlKey) && text.trim()) keep();
      }}></textarea>
    <${Problem} error=${error} />
    <div class="actions">
      <${Button} onClick=${onClose}>Not now<//>
      <button type="submit" class="button primary" disabled=${Boolean(busy) || !text.trim()}>
        Comment
      </button>
    </div>
  </form>`;
};

/**
 * A tap on a line further down, meanwhile, has it speak of all lines up to that one.
 * @param {{session: Session, path: string, side: DiffSide, line: number, endLine: number, onClose:
 * () => void}} props
 */
export const NewComment = ({ session, path, side, line, endLine, onClose }) => html`
  ${endLine > line && html`<p class="hint">Lines ${line} to ${endLine}</p>`}
  <${Writing} label=${`Comment on line ${line} ${side} the change`} onClose=${onClose}
    act=${(/** @type {string} */ text) =>
      post(`/api/sessions/${session.id}/comments`, {
        path,
        side,
        line,
        endLine,
        text,
        requestedBy: ME,
      })} />
`;

/** @param {{comment: PlacedComment, onAct: () => void}} props */
export const Said = ({ comment, onAct }) => {
  const [isEdited, setEdited] = useState(false);
  const { busy, error, run } = useAct();
  const isOpen = comment.status === "open";
  const take = () =>
    run("take", async () => {
      await remove(`/api/comments/${comment.id}`, { requestedBy: ME });
      onAct();
    });
  if (isEdited)
    return html`<${Writing} text=${comment.text} label="The comment"
      act=${(/** @type {string} */ text) =>
        patch(`/api/comments/${comment.id}`, { text, requestedBy: ME })}
      onClose=${() => {
        setEdited(false);
        onAct();
      }} />`;
  return html`<div class="comment" data-status=${comment.status}>
    <p>${comment.text}</p>
    <div class="comment-foot">
      <${Badge} status=${isOpen ? "pending" : "completed"} text=${Words(comment.status)} />
      ${comment.isOutdated && comment.quote && html`<span class="tag">outdated</span>`}
      ${
        comment.reviewSessionId &&
        html`<a class="link" href=${`#/sessions/${comment.reviewSessionId}`}>found by a review</a>`
      }
      ${
        isOpen &&
        html`
          <button type="button" class="link" onClick=${() => setEdited(true)}>Edit</button>
          <button type="button" class="link" disabled=${Boolean(busy)} onClick=${take}>
            Take it back
          </button>
        `
      }
    </div>
    <${Problem} error=${error} />
  </div>`;
};

/**
 * Comments whose lines are not in the file any more, with the lines as they were.
 * @param {{comments: PlacedComment[], onAct: () => void}} props
 */
export const Outdated = ({ comments, onAct }) =>
  comments.map(
    (comment) => html`<div class="outdated" key=${comment.id}>
      ${
        comment.quote
          ? html`<pre class="plain" tabindex="0" aria-label="The lines as they were">
${comment.quote}</pre>`
          : html`<p class="quiet-line"><code>${comment.path}:${comment.line}</code></p>`
      }
      <${Said} comment=${comment} onAct=${onAct} />
    </div>`,
  );

/**
 * The way to send all that are open.
 * @param {{session: Session, open: number, onAct: () => void}} props
 */
export const SendBar = ({ session, open, onAct }) => {
  const { busy, error, run } = useAct();
  const isSteerable = session.status === "running" && can(session.runner, "canSteer");
  const send = (/** @type {"followup" | "steer"} */ how) =>
    run(how, async () => {
      const sent = await post(`/api/sessions/${session.id}/comments/send`, {
        how,
        requestedBy: ME,
      });
      onAct();
      if (!sent.followup && sent.session.id !== session.id) {
        learn("sessions", sent.session);
        location.hash = `/sessions/${sent.session.id}`;
      }
    });
  if (!open) return null;
  return html`<div class="send-bar" role="region" aria-label="Comments">
    <span>${plural(open, "comment")} to send</span>
    <${Problem} error=${error} />
    <div class="actions">
      ${
        isSteerable &&
        html`<${Button} busy=${busy === "steer"} onClick=${() => send("steer")}>Say now<//>`
      }
      <${Button} kind="primary" icon="send" busy=${busy === "followup"}
        onClick=${() => send("followup")}>
        ${ENDED.has(session.status) ? "Send" : "Send after the turn"}
      <//>
    </div>
  </div>`;
};
