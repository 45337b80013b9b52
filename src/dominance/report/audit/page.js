(function () {
  var main = document.getElementById("main"), form = document.getElementById("filter"), shown = document.getElementById("shown");
  var sections = Array.from(document.querySelectorAll(".prompt"));
  var total = document.querySelectorAll(".im").length;
  if (!total) return;
  form.hidden = false;

  function show(verdict) {
    var count = 0;
    main.dataset.show = verdict;
    sections.forEach(function (section) {
      var images = section.querySelectorAll(verdict === "all" ? ".im" : '.im[data-v="' + verdict + '"]');
      section.hidden = verdict !== "all" && images.length === 0;
      count += images.length;
    });
    shown.textContent = verdict === "all" ? "" : count + " of " + total + " images shown";
  }

  function chosen() {
    return form.elements.show.value;
  }

  function reveal() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || !target.hidden) return;
    form.elements.show.value = "all";
    show("all");
    target.scrollIntoView();
  }

  form.addEventListener("change", function () { show(chosen()); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.rest").forEach(function (rest) { rest.open = true; });
  });
  show(chosen());
})();
