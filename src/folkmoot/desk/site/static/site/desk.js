// Enhancement only: every page does its whole work without this file.
import { initAll } from "../built/govuk-frontend.js";

initAll();

// A form that holds unsaved words asks before it is left.
const form = document.querySelector("form[data-keep]");
if (form) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
