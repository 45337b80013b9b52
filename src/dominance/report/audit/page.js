(function () {
  var PAGE = 50;
  var main = document.getElementById("main"), form = document.getElementById("filter"), shown = document.getElementById("shown");
  var search = document.getElementById("search"), words = document.getElementById("words"), found = document.getElementById("found");
  var sections = Array.from(document.querySelectorAll(".prompt")), rows = Array.from(document.querySelectorAll(".worst tbody tr"));
  var pagers = Array.from(document.querySelectorAll(".pager")), rest = Array.from(document.querySelectorAll("details.rest"));
  var size = sections.length > Number(main.dataset.atOnce) ? PAGE : sections.length || 1, page = 0;
  var texts = sections.map(function (section, place) {
    var about = [section.querySelector("h3"), section.querySelector(".meta"), section.querySelector(".finding")];
    return about.map(function (part) { return part ? part.textContent : ""; }).join(" ").toLowerCase();
  });
  var counts = sections.map(function (section) {
    var own = { all: 0 };
    section.querySelectorAll(".im").forEach(function (image) {
      own.all += 1;
      own[image.dataset.v] = (own[image.dataset.v] || 0) + 1;
      if ("doubtful" in image.dataset) own.doubtful = (own.doubtful || 0) + 1;
    });
    return own;
  });
  var total = counts.reduce(function (sum, own) { return sum + own.all; }, 0);
  if (!sections.length) return;
  form.hidden = !total;
  if (search) search.hidden = false;

  function said(place) {
    var asked = words ? words.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    return asked.every(function (word) { return texts[place].indexOf(word) >= 0; });
  }

  function show(verdict) {
    var places = sections.map(function (_, place) { return place; }).filter(said);
    var matching = places.filter(function (place) { return verdict === "all" || counts[place][verdict]; });
    var pages = Math.max(1, Math.ceil(matching.length / size)), searched = !!words && words.value.trim() !== "";
    page = Math.min(page, pages - 1);
    main.dataset.show = verdict;
    sections.forEach(function (section) { section.hidden = true; });
    matching.slice(page * size, (page + 1) * size).forEach(function (place) { sections[place].hidden = false; });
    rows.forEach(function (row) { row.hidden = true; });
    places.forEach(function (place) { if (rows[place]) rows[place].hidden = false; });
    rest.forEach(function (part) {
      if (searched) part.open = true;
      part.hidden = searched && !part.querySelector("tbody tr:not([hidden])");
    });
    if (found) found.textContent = searched ? places.length + " of " + sections.length + " prompts" : "";
    var count = matching.reduce(function (sum, place) { return sum + (counts[place][verdict] || 0); }, 0);
    shown.textContent = verdict === "all" && !searched ? "" : count + " of " + total + " images" + (pages > 1 ? "" : " shown");
    pagers.forEach(function (pager) { turn(pager, pages, matching.length); });
  }

  function turn(pager, pages, matching) {
    pager.hidden = pages < 2;
    pager.textContent = "";
    if (pages < 2) return;
    var told = document.createElement("span");
    told.textContent = "Prompts " + (page * size + 1) + " to " + Math.min(matching, (page + 1) * size) + " of " + matching;
    pager.append(step("‹ Previous", page - 1, pages), told, step("Next ›", page + 1, pages));
  }

  function step(name, wanted, pages) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.disabled = wanted < 0 || wanted >= pages;
    button.addEventListener("click", function () {
      page = wanted;
      show(chosen());
      document.getElementById("images").scrollIntoView();
    });
    return button;
  }

  function chosen() {
    return form.elements.show.value;
  }

  function reveal() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    var place = sections.indexOf(target);
    if (place < 0 || !target.hidden) return;
    form.elements.show.value = "all";
    if (words) words.value = "";
    page = Math.floor(place / size);
    show("all");
    target.scrollIntoView();
  }

  form.addEventListener("change", function () { page = 0; show(chosen()); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  if (search) {
    search.addEventListener("submit", function (event) { event.preventDefault(); });
    words.addEventListener("input", function () { page = 0; show(chosen()); });
  }
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", function () {
    rest.forEach(function (part) { part.open = true; });
  });
  show(chosen());
  reveal();
})();
