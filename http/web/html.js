// @ts-check
// What every component is written with: Preact's elements by htm's templates, and the hooks.
import { Component, createContext, Fragment, h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { Component, createContext, Fragment, h, render };
export * from "./vendor/hooks.js";
