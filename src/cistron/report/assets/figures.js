// Figures are saved as SVG and PNG, tables as TSV; the marks of a figure give their values to the keyboard.
(() => {
  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function button(text, label, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "save";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", action);
    return made;
  }

  // Colours of the page are written into the copy, which stands alone on white.
  function standing(svg) {
    const box = svg.viewBox.baseVal;
    const copy = svg.cloneNode(true);
    const light = { "--axis": "#6b7a8c", "--grid": "#d5dbe3" };
    copy.removeAttribute("tabindex");
    copy.removeAttribute("style");
    copy.setAttribute("width", `${box.width}pt`);
    copy.setAttribute("height", `${box.height}pt`);
    copy.setAttribute("color", "#17263a");
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of [["x", box.x], ["y", box.y], ["width", box.width], ["height", box.height], ["fill", "#ffffff"]]) {
      ground.setAttribute(key, value);
    }
    copy.prepend(ground);
    return new XMLSerializer().serializeToString(copy).replace(/var\((--\w+)\)/g, (_, name) => light[name] || "#000");
  }

  function asPicture(svg, name) {
    const box = svg.viewBox.baseVal;
    const picture = new Image();
    const address = URL.createObjectURL(new Blob([standing(svg)], { type: "image/svg+xml" }));
    picture.addEventListener("load", () => {
      const canvas = document.createElement("canvas");
      const scale = 3;
      canvas.width = Math.ceil(box.width * scale);
      canvas.height = Math.ceil(box.height * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(address);
      canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
    });
    picture.src = address;
  }

  function nameOf(element, number, of) {
    const section = element.closest("section[id]");
    return [section ? section.id : "page", of.replace(/[^\w.-]+/g, "_").slice(0, 60), number + 1].filter(Boolean).join("_");
  }

  function bar(...buttons) {
    const made = document.createElement("div");
    made.className = "saving";
    made.append(...buttons);
    return made;
  }

  // Give the figures and tables of an element their buttons; `of` is part of the names of files.
  function saving(root, of = "") {
    root.querySelectorAll("svg[role=img]").forEach((svg, number) => {
      const name = nameOf(svg, number, of);
      (svg.closest("figure") || svg.parentElement).prepend(bar(
        button("SVG", "Save this figure as SVG", () => save(`${name}.svg`, new Blob([standing(svg)], { type: "image/svg+xml" }))),
        button("PNG", "Save this figure as PNG", () => asPicture(svg, name)),
      ));
      readable(svg);
    });
    root.querySelectorAll("table").forEach((table, number) => {
      const name = nameOf(table, number, of);
      (table.closest(".scroll") || table).before(bar(
        button("TSV", "Save this table as TSV", () => save(`${name}.tsv`, new Blob([tsvOf(table)], { type: "text/tab-separated-values" }))),
      ));
    });
  }

  // Arrow keys go from mark to mark; the value is shown beside it and read out.
  function readable(svg) {
    const marks = [...svg.querySelectorAll("[data-tip]")];
    if (marks.length === 0) return;
    const tip = document.getElementById("tip");
    let current = -1;
    svg.setAttribute("tabindex", "0");
    const show = () => {
      marks.forEach((mark, number) => mark.classList.toggle("current", number === current));
      if (current < 0) { tip.hidden = true; return; }
      tip.setAttribute("aria-live", "polite");
      tip.textContent = marks[current].dataset.tip;
      tip.hidden = false;
      const place = marks[current].getBoundingClientRect();
      const box = tip.getBoundingClientRect();
      tip.style.left = `${Math.max(8, Math.min(place.right + 6, window.innerWidth - box.width - 8))}px`;
      tip.style.top = `${Math.max(8, Math.min(place.bottom + 6, window.innerHeight - box.height - 8))}px`;
    };
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") { current = -1; show(); return; }
      if (!step) return;
      event.preventDefault();
      current = (current + step + marks.length) % marks.length;
      show();
    });
    svg.addEventListener("blur", () => { current = -1; show(); });
  }

  function tsvOf(table) {
    const safe = (text) => {
      const plain = text.replace(/\s+/g, " ").trim();
      return /^[=+@]/.test(plain) && !/^\+[\d.]/.test(plain) ? `'${plain}` : plain; // a spreadsheet would run it
    };
    const rows = [...(table.tHead ? table.tHead.rows : []), ...[...table.tBodies].flatMap((body) => [...body.rows])];
    return rows.filter((row) => !row.hidden)
      .map((row) => [...row.cells].map((cell) => (cell.dataset.value !== undefined ? cell.dataset.value : safe(cell.textContent))).join("\t"))
      .join("\n") + "\n";
  }

  Object.assign(cistron, { save, saving, savingBar: bar, saveButton: button });
  saving(document.querySelector("main"));
})();
