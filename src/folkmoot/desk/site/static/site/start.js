// Runs before the page is drawn: GOV.UK Frontend styles some parts only where script is running.
document.documentElement.classList.add("js");
document.addEventListener("DOMContentLoaded", () => {
  document.body.classList.add("js-enabled", "govuk-frontend-supported");
});
