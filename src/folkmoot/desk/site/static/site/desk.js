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

// A list that refreshes itself says so where it could not; the next answer replaces it whole.
for (const failed of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.body.addEventListener(failed, () => {
    for (const note of document.querySelectorAll("[data-unreachable]")) note.hidden = false;
  });
}
