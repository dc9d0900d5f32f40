// @ts-check
// Times, sizes and words as people read them. Local time; UTC stands in the title.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const WALL = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});
const WALL_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const WHOLE = new Intl.NumberFormat();
const NUMBER = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** @param {number | Date} moment */
export const clock = (moment) => TIME.format(moment);

/** @param {string} ts */
export const exact = (ts) =>
  `${EXACT.format(new Date(ts))} · ${ts.replace("T", " ").replace(/(\.\d+)?Z$/, "")} UTC`;

/** @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60 && s < 600 ? `${s % 60} s` : ""}`.trim();
  if (s < 86400) {
    const minutes = Math.floor((s % 3600) / 60);
    return `${Math.floor(s / 3600)} h ${minutes ? `${minutes} min` : ""}`.trim();
  }
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/**
 * A time near now in words, in this week by its day and time, else by its date.
 * @param {string} ts
 */
export function when(ts, now = Date.now()) {
  const then = new Date(ts);
  const seconds = (now - then.getTime()) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  if (seconds > 0 && seconds < 3600)
    return `${duration(seconds < 60 ? seconds : Math.floor(seconds / 60) * 60)} ago`;
  if (seconds < 0 && seconds > -3600)
    return `in ${duration(-seconds < 60 ? -seconds : Math.ceil(-seconds / 60) * 60)}`;
  if (then.toDateString() === new Date(now).toDateString()) return clock(then);
  if (Math.abs(seconds) < 6 * 86_400) return `${WEEKDAY.format(then)} ${clock(then)}`;
  return day(then, now);
}

/** @param {Date} moment */
export const day = (moment, now = Date.now()) =>
  (moment.getFullYear() === new Date(now).getFullYear() ? DAY : DAY_OF_YEAR).format(moment);

/** The day and the time. @param {string} ts */
export const dayAndTime = (ts) => `${day(new Date(ts))}, ${clock(new Date(ts))}`;

/** What a clock on the wall shows, wherever it hangs. @param {string} local */
export const wallClock = (local) => WALL.format(new Date(`${local.slice(0, 16)}Z`));

/** A day of the calendar, wherever one is. @param {string} date */
export const wallDay = (date) => WALL_DAY.format(new Date(`${date}T00:00Z`));

/** @param {number | null | undefined} count */
export const number = (count) =>
  count === null || count === undefined ? "–" : NUMBER.format(count);

/** @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  let left = bytes;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${left < 10 && at ? left.toFixed(1) : Math.round(left)} ${units[at]}`;
}

/** `waiting_approval`, or `commandExecution`, as words. @param {string} name */
export const words = (name) =>
  name.replace(/[_-]/g, " ").replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** @param {string} name */
export const Words = (name) => words(name).replace(/^./, (first) => first.toUpperCase());

/** @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many) => `${count} ${count === 1 ? one : many || `${one}s`}`;

/** How many there are, or at least. @param {number} known @param {boolean} isAll */
export const count = (known, isAll) => `${WHOLE.format(known)}${isAll ? "" : "+"}`;

/** The last part of a path of either kind. @param {string} path */
export const basename = (path) => path.split(/[\\/]/).filter(Boolean).pop() || path;

/**
 * Code, in which what cannot be seen is spelled out: it may turn the writing round, or hide.
 * @param {string} text
 */
export const seen = (text) =>
  text.replace(
    /\p{Cf}/gu,
    (hidden) => `\\u${(hidden.codePointAt(0) || 0).toString(16).padStart(4, "0")}`,
  );

/** A word as a shell would be told it. @param {string} word */
export const quoted = (word) =>
  /^[\w./:,@%+=-]+$/.test(word) ? word : `'${seen(word).replaceAll("'", "'\\''")}'`;

/** A path from its folder on, where it lies in it. @param {string} path @param {string} [folder] */
export function within(path, folder) {
  const isInside = folder && path.startsWith(folder) && /^[\\/]/.test(path.slice(folder.length));
  return isInside ? path.slice(folder.length + 1) : path;
}

/** Text without its Markdown, for a single line. @param {string} text */
export const plain = (text) =>
  text
    .replace(/[*`#]+/g, "")
    .replace(/\s+/g, " ")
    .trim();

const ONE_WORD = /^(?:'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|[^\s'"\\])+$/;
const QUOTED = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g;

/** The script that a shell was given, without the quotes around it. @param {string} command */
export function script(command) {
  const word = /^\S*(?:bash|sh|zsh) -l?c ([^]*)$/.exec(command)?.[1] || "";
  if (!ONE_WORD.test(word)) return command;
  return word.replace(
    QUOTED,
    (_, single, double, escaped) => single ?? double?.replace(/\\([$`"\\])/g, "$1") ?? escaped,
  );
}
