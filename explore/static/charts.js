// Draws the charts of a page with Vega-Lite, in the page's own colours, by light and in the dark.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 40rem)");

function config() {
  const page = getComputedStyle(document.documentElement);
  const colour = (name) => page.getPropertyValue(`--${name}`).trim();
  const words = { labelColor: colour("soft"), titleColor: colour("soft"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis: { ...words, gridColor: colour("rule"), domainColor: colour("rule"), tickColor: colour("rule"), labelLimit: narrow.matches ? 84 : 140, labelSeparation: 4 },
    legend: { ...words, orient: "bottom", columns: narrow.matches ? 1 : 3, labelLimit: 200, symbolStrokeWidth: 2.5 },
    line: { strokeWidth: 2.2 },
    point: { size: 22, filled: true },
    rule: { color: colour("text") },
    text: { color: colour("text"), fontSize: narrow.matches ? 10 : 13 },
    range: {
      category: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`k${number}`)),
      ordinal: [1, 2, 3, 4, 5].map((number) => colour(`o${number}`)),
      heatmap: [colour("ramp-low"), colour("ramp-high")],
      ramp: [colour("ramp-low"), colour("ramp-high")],
    },
  };
}

function say(place, words) {
  const line = document.createElement("p");
  line.className = "by";
  line.textContent = words;
  place.replaceChildren(line);
}

const sources = JSON.parse(document.querySelector("#source-names").textContent);

async function figuresOf(place) {
  const answer = await fetch(place.dataset.rows);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  const rows = told.rows.map((row) => ("source" in row ? { ...row, source: sources[row.source] } : row));
  return { rows, truncated: told.truncated };
}

async function prepare(place) {
  const display = JSON.parse(place.querySelector("script").textContent);
  try {
    const { rows, truncated } = await figuresOf(place);
    if (!rows.length) {
      say(place, "There is nothing to draw yet.");
      return;
    }
    const draw = async () => {
      await vegaEmbed(
        place,
        {
          description: place.dataset.says,
          width: "container",
          height: place.closest(".tall") ? 420 : 260,
          autosize: { type: "fit-x", contains: "padding" },
          data: { values: rows },
          config: config(),
          ...display,
        },
        { renderer: "svg", actions: !narrow.matches && { export: true, source: false, compiled: false, editor: false } },
      );
      place.querySelector("summary")?.setAttribute("aria-label", "Save the chart");
    };
    await draw();
    dark.addEventListener("change", draw);
    if (truncated) place.insertAdjacentHTML("afterend", `<p class="note">Drawn of the first ${rows.length} rows alone.</p>`);
  } catch (fault) {
    say(place, `This could not be drawn: ${fault.message}`);
  }
}

document.querySelectorAll(".drawing").forEach(prepare);
