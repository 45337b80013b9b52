// What a script adds: words to click, options that fit, progress as it comes, labels by keyboard. All works without it.
(function () {
  "use strict";
  var KINDS = ["object", "landmark", "character", "artist"];

  // The text in brackets is what counts; the words below it are only another way to write it.
  function parsed(text) {
    var words = [], concept = 0, open = false, word = "", i, c;
    function end() { if (word) words.push({ text: word, concept: open ? concept : 0, kind: "object" }); word = ""; }
    for (i = 0; i < text.length; i += 1) {
      c = text[i];
      if (c === "\\" && i + 1 < text.length) { word += c + text[i + 1]; i += 1; }
      else if (c === "[") { end(); open = true; concept += 1; }
      else if (c === "]") { end(); kindOf(words, concept); open = false; }
      else if (/\s/.test(c)) end();
      else if (/[,.;!?]/.test(c) && !open) { end(); words.push({ text: c, mark: true, concept: 0 }); }
      else word += c;
    }
    end();
    return words;
  }
  function kindOf(words, concept) {
    var own = words.filter(function (w) { return w.concept === concept; }), last = own[own.length - 1];
    if (!last) return;
    var parts = last.text.split(":"), kind = parts.pop();
    if (parts.length && KINDS.indexOf(kind) >= 0) {
      last.text = parts.join(":");
      own.forEach(function (w) { w.kind = kind; });
      if (!last.text) words.splice(words.indexOf(last), 1);
    }
  }
  function written(words) {
    var text = "";
    words.forEach(function (w, i) {
      var before = words[i - 1], after = words[i + 1];
      if (i && !w.mark) text += " ";
      if (w.concept && !(before && before.concept === w.concept)) text += "[";
      text += w.text;
      if (w.concept && !(after && after.concept === w.concept)) text += (w.kind === "object" ? "" : ":" + w.kind) + "]";
    });
    return text;
  }

  function wordsOf(form) {
    var area = form.querySelector("#prompts"), box = form.querySelector(".words");
    if (!area || !box) return;
    var chips = box.querySelector(".chips"), kinds = box.querySelector(".kinds"), words = [];
    function joined() {
      var next = 0, before = null;
      words.forEach(function (w) {
        if (w.concept) { if (!(before && before.concept)) next += 1; else w.kind = before.kind; w.joins = next; }
        before = w;
      });
      words.forEach(function (w) { w.concept = w.concept ? w.joins : 0; });
    }
    function put(focus) {
      area.value = written(words);
      show(focus);
    }
    function show(focus) {
      chips.textContent = ""; kinds.textContent = "";
      var named = {};
      words.forEach(function (w, i) {
        if (w.mark) return;
        var chip = document.createElement("button");
        chip.type = "button"; chip.textContent = w.text.replace(/\\(.)/g, "$1");
        chip.setAttribute("aria-pressed", w.concept ? "true" : "false");
        if (w.concept && words[i - 1] && words[i - 1].concept === w.concept) chip.className = "joined";
        chip.addEventListener("click", function () { w.concept = w.concept ? 0 : 9999; joined(); put(i); });
        chips.appendChild(chip);
        if (focus === i) chip.focus();
        if (w.concept) (named[w.concept] = named[w.concept] || []).push(w);
      });
      Object.keys(named).forEach(function (key) {
        var own = named[key], label = document.createElement("label"), select = document.createElement("select");
        label.textContent = own.map(function (w) { return w.text; }).join(" ") + " is a";
        KINDS.forEach(function (kind) { select.add(new Option(kind, kind, false, own[0].kind === kind)); });
        select.addEventListener("change", function () {
          own.forEach(function (w) { w.kind = select.value; });
          area.value = written(words);
        });
        label.appendChild(select); kinds.appendChild(label);
      });
    }
    function read() {
      var single = area.value.trim() && area.value.trim().indexOf("\n") < 0;
      box.hidden = !single;
      words = single ? parsed(area.value) : [];
      show();
    }
    area.addEventListener("input", read);
    read();
  }

  function fitting(form) {
    var radios = Array.from(form.querySelectorAll("input[name=verb]"));
    if (!radios.length) return;
    function fit() {
      var verb = radios.filter(function (r) { return r.checked; })[0];
      form.querySelectorAll("[data-verbs]").forEach(function (field) {
        var off = !!verb && field.dataset.verbs.split(" ").indexOf(verb.value) < 0;
        field.hidden = off;
        field.querySelectorAll("input, select").forEach(function (input) { input.disabled = off; });
      });
    }
    radios.forEach(function (r) { r.addEventListener("change", fit); });
    fit();
  }

  // A part of the page that changes: it is asked for again and put in place; what is said aloud stands outside of it.
  function live(part) {
    var said = document.getElementById("said"), every = 3000;
    function place(text) {
      var page = new DOMParser().parseFromString(text, "text/html"), next = page.getElementById("live");
      if (!next) return false;
      var held = part.contains(document.activeElement) && document.activeElement, log = part.querySelector("details");
      if (log && log.open && next.querySelector("details")) next.querySelector("details").open = true;
      if (next.innerHTML !== part.innerHTML) {
        part.innerHTML = next.innerHTML;
        if (held) (again(held) || document.getElementById("main")).focus();
      }
      part.dataset.busy = next.dataset.busy;
      tell(page.getElementById("said").textContent);
      return true;
    }
    function again(held) {
      return Array.from(part.querySelectorAll(held.tagName)).filter(function (one) {
        return one.href === held.href && one.textContent === held.textContent;
      })[0];
    }
    function tell(text) { if (said.textContent !== text) said.textContent = text; }
    function look() {
      return fetch(location.pathname, { headers: { accept: "text/html" } })
        .then(function (answer) { return answer.ok ? answer.text() : ""; })
        .then(function (text) { if (text && place(text) && part.dataset.busy === "yes") soon(); else if (!text) soon(); }, soon);
    }
    function soon() { setTimeout(function () { if (document.hidden) soon(); else look(); }, every); }
    if (part.dataset.events && window.EventSource) watch(part, tell, look, soon);
    else if (part.dataset.busy === "yes") soon();
  }

  function watch(part, tell, look, soon) {
    var source = new EventSource(part.dataset.events), bar = document.getElementById("bar");
    var state = document.getElementById("state").firstElementChild, said = "", quarter = 0;
    source.onmessage = function (event) {
      var found = JSON.parse(event.data), name = found.verb[0].toUpperCase() + found.verb.slice(1) + ": ";
      if (found.state === "done" || found.state === "failed" || found.state === "stopped") {
        source.close();
        look();
        return;
      }
      if (found.state !== said) {
        state.textContent = said = found.state; state.className = "state st-" + found.state;
        tell(name + found.state);
      }
      if (found.total) { bar.max = found.total; bar.value = found.done; }
      var step = found.total ? found.what + ": " + found.done + " of " + found.total
        : found.state === "queued" ? "waits for its turn" : "starts";
      document.getElementById("step").textContent = step;
      document.getElementById("log").textContent = found.log.join("\n");
      if (found.total && Math.floor(4 * found.done / found.total) !== quarter) {
        quarter = Math.floor(4 * found.done / found.total);
        tell(name + step);
      }
    };
    source.onerror = function () { if (source.readyState === 2) soon(); };  // too many watch: it is asked for instead
  }

  function keys(form) {
    var sets = Array.from(form.querySelectorAll(".choice"));
    var said = sets.map(function (set) { return !!set.querySelector(":checked"); });
    var now = Math.max(0, said.indexOf(false));
    form.querySelector(".keys").hidden = false;
    function mark() { sets.forEach(function (set, i) { set.classList.toggle("now", i === now); }); }
    sets.forEach(function (set, i) {
      set.addEventListener("change", function () { now = Math.min(i + 1, sets.length - 1); mark(); });
    });
    document.addEventListener("keydown", function (event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      var place = "123".indexOf(event.key);
      if (place >= 0 && event.key.length === 1) {
        var input = sets[now].querySelectorAll("input")[place];
        input.checked = true;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        event.preventDefault();
      } else if (event.key === "Enter" && !/^(A|BUTTON)$/.test(event.target.tagName)) {
        event.preventDefault();
        form.requestSubmit();
      } else if (event.key === "ArrowLeft" && event.target.type !== "radio") {
        document.getElementById("back").click();
      }
    });
    mark();
  }

  document.querySelectorAll("form.ask").forEach(function (form) { wordsOf(form); fitting(form); });
  var part = document.getElementById("live"), label = document.getElementById("label");
  if (part) { document.body.classList.add("scripted"); live(part); }
  if (label) keys(label);
})();
