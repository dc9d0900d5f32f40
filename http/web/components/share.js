// @ts-check
// A session as one document to share: a page that stands alone, or Markdown.
/** @import { Session } from "../openapi.js" */
import { html } from "../html.js";

/** @param {{session: Session}} props */
export const Share = ({ session }) => html`
  <details class="fold">
    <summary>Share it</summary>
    <p class="hint">
      The prompt, the transcript, the changes and the outcome in one file, without what looks like a
      secret. Read it before you share it.
    </p>
    <div class="actions">
      <a class="button" href=${`/api/sessions/${session.id}/export?format=html`} download>
        As a page
      </a>
      <a class="button" href=${`/api/sessions/${session.id}/export?format=markdown`} download>
        As Markdown
      </a>
    </div>
  </details>
`;
