(function () {
  var form = document.getElementById("choose"), maps = document.getElementById("maps");
  var step = document.getElementById("step"), image = document.getElementById("image");
  var said = document.getElementById("step-name"), own = document.getElementById("own");
  var states = Array.from(maps.querySelectorAll(".state"));
  if (!states.length) return;
  form.hidden = false;

  function show() {
    var seed = image ? image.value : "0";
    states.forEach(function (state) {
      var chosen = state.dataset.image === seed && state.dataset.step === step.value;
      if (chosen) said.textContent = state.getAttribute("aria-label").split(", ").pop();
      state.hidden = !chosen;
    });
    step.setAttribute("aria-valuetext", said.textContent);
    maps.classList.toggle("own", own.checked);
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  show();
})();
