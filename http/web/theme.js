// @ts-check
// Light or dark: what the system says, unless a person chose; only that choice is kept.
const KEY = "theme";

export const theme = () => localStorage.getItem(KEY) || "system";

/** @param {string} [choice] */
export function applyTheme(choice) {
  if (choice === "system") localStorage.removeItem(KEY);
  else if (choice) localStorage.setItem(KEY, choice);
  const now = theme();
  if (now === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = now;
}
