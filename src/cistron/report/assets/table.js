// Tables that sort by their headings, filter by text, column and interval, and are saved as CSV.
(() => {
  const numberOf = (cell) => (cell.dataset.value === "" ? NaN : Number(cell.dataset.value));

  function compare(kind, column, sign) {
    return (first, second) => {
      const [a, b] = [first.cells[column], second.cells[column]];
      if (kind === "text") return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
      const [x, y] = [numberOf(a), numberOf(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y); // missing last, both ways
      return sign * (x - y);
    };
  }

  function makeSortable(table) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      heading.querySelector("button").addEventListener("click", () => {
        const kind = heading.dataset.kind;
        const before = heading.getAttribute("aria-sort");
        // numbers are asked for from the largest, names from A
        const first = kind === "text" ? "ascending" : "descending";
        const second = first === "ascending" ? "descending" : "ascending";
        const order = before === first ? second : first;
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", order);
        const rows = [...table.tBodies[0].rows].sort(compare(kind, column, order === "ascending" ? 1 : -1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  function makeFilter(tool, table) {
    const text = tool.querySelector(".text-filter");
    const column = tool.querySelector(".column-filter");
    const above = tool.querySelector(".above-filter");
    const status = tool.querySelector(".status");
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const content = `${row.cells[0].firstChild.data} ${row.cells[1].textContent}`.toLowerCase();
        const keep = words.every((word) => content.includes(word))
          && (!column || !column.value || row.cells[Number(column.dataset.column)].textContent === column.value)
          && (!above.checked || row.dataset.above === "1");
        row.hidden = !keep;
        shown += keep;
      }
      status.textContent = `${shown} of ${table.tBodies[0].rows.length} rows`;
    };
    [text, column, above].forEach((control) => control && control.addEventListener("input", apply));
  }

  function quoted(value) {
    // a leading = + - @ would be run as a formula by spreadsheets when it is text
    const safe = /^[=+@\t\r]/.test(value) || /^-\D/.test(value) ? `'${value}` : value;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function csvOf(table) {
    const heading = [...table.tHead.rows[0].cells].map((cell) => quoted(cell.textContent.trim()));
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const lines = rows.map((row) => [...row.cells].map((cell, column) => {
      if (cell.dataset.value !== undefined) return cell.dataset.value;
      return quoted(column === 0 ? cell.firstChild.data.trim() : cell.textContent.trim());
    }).join(","));
    return [heading.join(","), ...lines].join("\n") + "\n";
  }

  for (const tool of document.querySelectorAll(".table-tool")) {
    const table = tool.querySelector("table.sortable");
    makeSortable(table);
    makeFilter(tool, table);
    tool.querySelector(".download").addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csvOf(table)], { type: "text/csv" }));
      link.download = tool.dataset.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
})();
