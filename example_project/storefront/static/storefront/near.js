// Fills in where one is, if one wishes. Everything works without it: places have names.
const button = document.querySelector("[data-locate]");
if (button && navigator.geolocation) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.setAttribute("aria-busy", "true");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        button.form.lat.value = coords.latitude.toFixed(5);
        button.form.lng.value = coords.longitude.toFixed(5);
        button.form.requestSubmit();
      },
      () => {
        button.removeAttribute("aria-busy");
        button.textContent = "Your browser does not say";
      },
    );
  });
}
// Another place was chosen: the position of before does not count any more.
document.querySelector("[name=place]")?.addEventListener("change", (event) => {
  event.target.form.lat.value = event.target.form.lng.value = "";
});
