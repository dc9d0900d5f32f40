// @ts-check
// What may be meant while one writes: files by @, skills by $, commands and saved prompts by /.
/** @import { FilesOf } from "../files.js" */
import { seen } from "../format.js";
import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "../html.js";
import { sheet } from "../sheets.js";
import { lazily } from "./basics.js";

const Voice = lazily(() => import("./voice.js"), "Voice");

sheet("./styles/suggestions.css");

const TYPING_MS = 120;

/**
 * One that may be meant: a text that comes in its place, or an act that is done at once.
 * @typedef {{key: string, label: string, note: string, insert?: string, act?: () => void}} Option
 * @typedef {{mark: string, query: string, from: number, to: number}} Word
 * @typedef {{of: FilesOf, id: number, repositoryId: number, hasSkills: boolean, commands?:
 * Option[]}} Sources
 */

/**
 * The word before the caret that asks for suggestions.
 * @param {string} text @param {number} caret @returns {Word | null}
 */
export function wordAt(text, caret) {
  const before = text.slice(0, caret);
  const found = /(?:^|\s)([@$])([^\s@$]*)$/.exec(before) || /^(\/)([\p{L}\p{N}_-]*)$/u.exec(before);
  if (!found) return null;
  const [, mark, query] = found;
  return { mark, query, from: caret - query.length - 1, to: caret };
}

/**
 * What may be meant by a word; not fresh while the answer is to what stood there before.
 * @param {Sources} sources @param {Word | null} word
 * @returns {{options: Option[], isFresh: boolean}}
 */
function useOptions(sources, word) {
  const { of, id, repositoryId } = sources;
  const [found, setFound] = useState(
    /** @type {{of: string, options: Option[]}} */ ({ of: "", options: [] }),
  );
  const kept = useRef(/** @type {Map<string, Promise<any>>} */ (new Map()));
  const key = word ? `${of} ${id} ${repositoryId} ${word.mark}${word.query}` : "";
  useEffect(() => {
    if (!word) return undefined;
    let isWanted = true;
    const ask = async () => {
      const { meantBy } = await import("./meant.js");
      const options = await meantBy(sources, word, kept.current);
      if (isWanted) setFound({ of: key, options });
    };
    const timer = setTimeout(ask, TYPING_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [key]);
  const isOfWord = Boolean(found.of) && key.startsWith(found.of); // or what it began with
  return { options: isOfWord ? found.options : [], isFresh: found.of === key };
}

/**
 * A box to write a prompt in. It is a text box whose list of suggestions is steered from it: by the
 * arrows, Enter or Tab, and Escape; or by a tap.
 * @param {{text: string, onText: (text: string) => void, sources: Sources, box?: {current:
 * HTMLTextAreaElement | null}, onKeyDown?: (event: any) => void, id?: string}
 * & Record<string, any>} props
 */
export const PromptBox = ({ text, onText, sources, box, onKeyDown, ...rest }) => {
  const own = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const area = box || own;
  const list = useId();
  const [caret, setCaret] = useState(-1);
  const [closed, setClosed] = useState(-1); // where the word begins whose list was closed
  const [at, setAt] = useState(0);
  const after = useRef(/** @type {{begin: number, end: number, isTop: boolean} | null} */ (null));
  const word = caret < 0 ? null : wordAt(text, caret);
  const isWanted = word && word.from !== closed;
  const { options, isFresh } = useOptions(sources, isWanted ? word : null);
  const isOpen = Boolean(isWanted && options.length);
  const chosen = Math.min(at, options.length - 1);
  useEffect(() => setAt(0), [word?.mark, word?.query]);
  useEffect(() => {
    if (!word) setClosed(-1);
  }, [!word]);
  useLayoutEffect(() => {
    if (!after.current) return;
    const { begin, end, isTop } = after.current;
    after.current = null;
    area.current?.focus();
    area.current?.setSelectionRange(begin, end);
    if (isTop) area.current?.scrollTo(0, 0);
    setCaret(end);
  }, [text]);
  /** @param {any} event */
  const follow = (event) => {
    const { selectionStart, selectionEnd } = event.currentTarget;
    setCaret(selectionStart === selectionEnd ? selectionStart : -1);
  };
  /** @param {Option} option */
  const take = (option) => {
    if (!word) return;
    const insert = option.insert || "";
    const isPrompt = word.mark === "/"; // which is read from its beginning
    const blank = /\$(?:ARGUMENTS|[1-9])/.exec(isPrompt ? insert : "");
    const begin = word.from + (blank ? blank.index : isPrompt ? 0 : insert.length);
    after.current = { begin, end: begin + (blank ? blank[0].length : 0), isTop: isPrompt };
    setClosed(-1);
    onText(text.slice(0, word.from) + insert + text.slice(word.to));
    option.act?.();
  };
  /** @param {any} event */
  const press = (event) => {
    const isPlain = !event.metaKey && !event.ctrlKey && !event.altKey && !event.isComposing;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (isOpen && isPlain && step) setAt((chosen + step + options.length) % options.length);
    else if (isOpen && isPlain && ["Enter", "Tab"].includes(event.key) && !event.shiftKey) {
      if (isFresh) take(options[chosen]);
    } else if (isOpen && event.key === "Escape") setClosed(word ? word.from : -1);
    else {
      onKeyDown?.(event);
      return;
    }
    event.preventDefault();
  };
  return html`<div class="prompt-box">
    ${
      isOpen &&
      html`<ul class="suggestions" role="listbox" id=${list} aria-label="Suggestions">
        ${options.map(
          (option, number) => html`<li key=${option.key} role="option" id=${`${list}-${number}`}
            aria-selected=${number === chosen} data-current=${number === chosen}
            onPointerDown=${(/** @type {any} */ e) => e.preventDefault()}
            onClick=${() => take(option)}>
            <span>${seen(option.label)}</span>
            ${option.note && html`<span class="hint">${seen(option.note)}</span>`}
          </li>`,
        )}
      </ul>`
    }
    <textarea ...${rest} ref=${area} value=${text} aria-autocomplete="list" aria-haspopup="listbox"
      aria-controls=${isOpen ? list : null}
      aria-activedescendant=${isOpen ? `${list}-${chosen}` : null}
      onInput=${(/** @type {any} */ e) => {
        follow(e);
        onText(e.currentTarget.value);
      }}
      onKeyUp=${follow} onClick=${follow} onBlur=${() => setCaret(-1)}
      onKeyDown=${press}></textarea>
    <${Voice} text=${text} onText=${onText} />
    <span class="visually-hidden" role="status">
      ${isOpen ? `${options.length} suggestions` : ""}
    </span>
  </div>`;
};
