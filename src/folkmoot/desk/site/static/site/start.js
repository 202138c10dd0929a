// First thing in the body: GOV.UK Frontend styles some parts only where script is running.
document.body.classList.add("js-enabled", "govuk-frontend-supported");
