// @ts-check
// What people and agents write: as it is written, until what formats it has come.
import { createContext, html, useContext, useEffect, useMemo, useState } from "../html.js";

/** @typedef {typeof import("./markdown.js")} Markdown */
/** @import { Place } from "./markdown.js" */

/** @type {Markdown | null} */
let loaded = null;

/** The folder of which the texts inside tell: the files that they name can be opened. */
export const Told = createContext(/** @type {Place | null} */ (null));

/** @param {{text: string, isGrowing?: boolean}} props */
export const Prose = ({ text, isGrowing = false }) => {
  const [markdown, setMarkdown] = useState(loaded);
  const place = useContext(Told);
  useEffect(() => {
    if (markdown) return;
    import("./markdown.js").then(
      (module) => setMarkdown((loaded = module)),
      () => {}, // it is read as it is written
    );
  }, []);
  const made = useMemo(
    () => markdown?.elements(text, place, isGrowing),
    [markdown, text, place, isGrowing],
  );
  return html`<div class="prose">${made ?? html`<p>${text}</p>`}</div>`;
};
