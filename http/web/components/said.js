// @ts-check
// What was said in threads of Codex that nobody began here.
import { get } from "../api.js";
import { Words } from "../format.js";
import { html, useEffect } from "../html.js";
import { Ago, Problem, useLoaded } from "./basics.js";

const TEXTS = 10; // that are shown of a search

/**
 * Show the texts that have all of the words.
 * @param {{words: string, onFound?: (texts: number) => void}} props `onFound` hears how many.
 */
export const SaidElsewhere = ({ words, onFound }) => {
  const [page, error] = useLoaded(
    () => get("/api/codex/threads/search", { q: words, limit: TEXTS }),
    [words],
  );
  useEffect(() => onFound?.(page?.items.length ?? 0), [page]);
  if (error) return html`<${Problem} error=${error} />`;
  if (!page?.items.length) return null;
  /** @param {{threadId: string, host: string}} one */
  const address = ({ threadId, host }) =>
    `#/threads?thread=${encodeURIComponent(threadId)}&host=${encodeURIComponent(host)}`;
  return html`<section class="said-in" aria-label="Said elsewhere">
    <h2 class="section">Said in threads from elsewhere</h2>
    <ul class="rows">
      ${page.items.map(
        (one) => html`<li key=${one.id}>
          <a class="found" href=${address(one)}>
            <div>
              ${one.snippet.map((piece) =>
                piece.isMatch ? html`<mark>${piece.text}</mark>` : piece.text,
              )}
            </div>
            <span class="hint">
              ${[one.title, Words(one.kind), one.cwd].filter(Boolean).join(" · ")}
              ${one.at && html` · <${Ago} ts=${new Date(one.at * 1000).toISOString()} />`}
            </span>
          </a>
        </li>`,
      )}
    </ul>
  </section>`;
};
