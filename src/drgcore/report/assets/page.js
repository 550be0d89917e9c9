"use strict";
// Tables sort by a click on a heading and filter by what is typed above them.
(function () {
  var collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  function value(cell) {
    var text = cell.textContent.trim();
    if (!cell.classList.contains("n")) return text;
    var number = parseFloat(text.replace(/,/g, "").replace("−", "-").replace("%", ""));
    return isNaN(number) ? null : number;
  }
  function sort(table, head) {
    var down = head.getAttribute("aria-sort") !== "descending";
    var at = head.cellIndex, body = table.tBodies[0];
    var rows = Array.prototype.map.call(body.rows, function (row) {
      return { row: row, value: value(row.cells[at]) };
    });
    rows.sort(function (a, b) {
      // What has no value stands last either way.
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
      var order = typeof a.value === "number" ? a.value - b.value : collator.compare(a.value, b.value);
      return down ? -order : order;
    });
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) {
      other.setAttribute("aria-sort", "none");
    });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.forEach(function (entry) { body.appendChild(entry.row); });
  }
  function filter(table, input, count) {
    var wanted = input.value.trim().toLowerCase(), shown = 0;
    Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
      row.hidden = wanted !== "" && row.textContent.toLowerCase().indexOf(wanted) < 0;
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = wanted === "" ? "" : shown + " / " + table.tBodies[0].rows.length;
  }
  document.querySelectorAll("table").forEach(function (table) {
    table.querySelectorAll("th button").forEach(function (button) {
      button.addEventListener("click", function () { sort(table, button.parentNode); });
    });
  });
  document.querySelectorAll(".tools input").forEach(function (input) {
    var table = document.getElementById(input.dataset.table);
    input.addEventListener("input", function () {
      filter(table, input, input.closest(".tools").querySelector("output"));
    });
  });
})();
