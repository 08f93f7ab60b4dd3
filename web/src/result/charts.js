// The charts of the result, by Observable Plot. Colours are those of the style sheet, in both modes.
import * as Plot from "@observablehq/plot";
import { decimal, percent, plain, t, whole } from "../shared/language.js";
import { Z90, readBoundaries } from "./model.js";

const MOST_NAMES = 45;
const MOST_ANCHOR_NAMES = 20;
const MOST_MARKS = 400; // with more marks of a kind one path draws them all
const FONT = { fontSize: "12px", fontFamily: "inherit", background: "transparent", color: "inherit", overflow: "visible" };

/** A chart as SVG. Its rules are in the style sheet: the policy of the page allows no style within. */
function plot(options, label) {
  const figure = Plot.plot({ className: "plot", style: FONT, ...options });
  const svg = figure.tagName === "svg" ? figure : figure.querySelector("svg");
  svg.querySelectorAll("style").forEach((each) => each.remove());
  // The picture is one thing to whoever hears the page; its numbers are in the table below it.
  svg.querySelectorAll("[aria-label], [aria-description]").forEach((each) => { each.removeAttribute("aria-label"); each.removeAttribute("aria-description"); });
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  return figure;
}

/** A mark of one path: a chart of thousands of elements takes a browser seconds. `piece` has a datum's part of the path. */
const onePath = (data, piece, attributes) => (_, { x, y }, __, ___, { document }) => {
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", data.map((each) => piece(each, x, y)).join(""));
  for (const [name, value] of Object.entries({ fill: "none", "stroke-linecap": "round", ...attributes })) path.setAttribute(name, value);
  return path;
};
const oneSpot = (x, y) => `M${x.toFixed(1)},${y.toFixed(1)}h0`;

const shorten = (name, most = 18) => {
  const letters = [...name];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : name;
};

/** Shades from the lowest grade to the highest; neighbours differ in lightness, so also in print. */
export function gradeShades(grades) {
  const n = grades.length;
  return grades.map((_, index) => {
    const share = n === 1 ? 0.5 : index / (n - 1);
    const hue = 42 + share * 172;
    const lightness = 86 - 52 * share;
    return `hsl(${hue.toFixed(0)} ${(48 - 6 * Math.sin(share * Math.PI)).toFixed(0)}% ${lightness.toFixed(0)}%)`;
  });
}

const inkOn = (grades, grade) => (grades.indexOf(grade) / Math.max(1, grades.length - 1) > 0.52 ? "#fff" : "#16202c");

/** Pupils with 90% bars on the left, anchors on the right, boundaries as bands as wide as they are unsure. */
export function drawRuler(result, essays, width) {
  const pupils = essays.filter((each) => !each.isAnchor && each.ability !== null);
  const anchors = essays.filter((each) => each.isAnchor && each.ability !== null);
  const boundaries = readBoundaries(result);
  const isNarrow = width < 560;
  const right = anchors.length ? Math.min(190, Math.max(96, width * 0.2)) : 16;
  const names = pupils.length <= MOST_NAMES && (width - right - 120) / pupils.length > 13;
  const longest = Math.max(0, ...pupils.map((each) => Math.min(16, [...each.name].length)));
  const bottom = names ? 18 + longest * 6 : 20;
  const values = [...pupils, ...anchors].flatMap((each) => [each.low, each.high]);
  const reach = [...values, ...boundaries.flatMap((each) => [each.at - Z90 * each.se, each.at + Z90 * each.se])];
  const pixel = Math.max(2, Math.max(...reach) - Math.min(...reach)) / (height(width) - 30);
  const place = new Map(pupils.map((each, index) => [each.id, index]));
  const span = Math.max(1, pupils.length);
  const left = boundaries.length ? Math.min(64, width * 0.14) : 12;
  const slot = span / Math.max(80, width - 56 - left - (anchors.length ? right : 0));
  const start = -0.5 - left * slot;
  const end = span - 0.5 + (anchors.length ? right * slot : 0.5);
  const rule = span - 0.5 + 6 * slot;
  const spots = separate(labelAnchors(anchors, isNarrow ? 6 : 12), "ability", 14 * pixel);
  const bandLabels = separate(boundaries.map((each) => ({ ...each, text: `${each.low} | ${each.high}` })), "at", 13 * pixel);
  const shown = [...reach, ...[...spots, ...bandLabels].map((each) => each.shownAt)];
  const marks = [
    ...(boundaries.length
      ? [
          Plot.rectY(boundaries, { x1: start, x2: end, y1: (b) => b.at - Z90 * b.se, y2: (b) => b.at + Z90 * b.se, fill: "var(--band)", fillOpacity: 0.5 }),
          Plot.ruleY(boundaries, { y: "at", x1: start, x2: end, stroke: "var(--band-line)", strokeDasharray: "4 3" }),
          Plot.text(bandLabels, { x: start + 3 * slot, y: "shownAt", text: "text", textAnchor: "start", dy: -7, fill: "currentColor", fontSize: 11 }),
        ]
      : []),
    ...drawPupils(pupils, place, (width - right) / span),
    ...(anchors.length
      ? [
          Plot.ruleX([rule], { stroke: "var(--line)" }),
          Plot.link(spots, { x1: rule + 10 * slot, x2: rule + 26 * slot, y1: "ability", y2: "shownAt", stroke: "var(--muted)" }),
          Plot.dot(anchors, { x: rule + 10 * slot, y: "ability", symbol: "square", r: 4, fill: "var(--anchor)" }),
          Plot.text(spots, { x: rule + 29 * slot, y: "shownAt", text: "words", textAnchor: "start", fill: "currentColor", fontSize: 11 }),
        ]
      : []),
    Plot.tip(pupils, Plot.pointer({ x: (each) => place.get(each.id), y: "ability", title: (each) => `${each.name}\n${decimal(each.ability)} (${decimal(each.low)} … ${decimal(each.high)})${each.grade ? `\n${t("grade")} ${each.grade}` : ""}`, fill: "var(--page)", stroke: "var(--line)" })),
  ];
  return plot(
    {
      width, height: height(width) + bottom, marginLeft: 44, marginRight: 12, marginBottom: bottom, marginTop: 30,
      x: { domain: [start, end], axis: names ? "bottom" : null, ticks: names ? pupils.map((_, index) => index) : [], tickFormat: (index) => shorten(pupils[index]?.name ?? "", 16), tickRotate: -60, tickSize: 0, label: null },
      y: { label: t("ruler.axis"), tickFormat: plain, grid: true, nice: true, labelOffset: 40, domain: [Math.min(...shown), Math.max(...shown)] },
      marks,
    },
    t("ruler.label"),
  );
}

/** Each pupil's bar and dot; those that need a person look different. `slot` is a pupil's width in pixels. */
function drawPupils(pupils, place, slot) {
  const bar = Math.max(1, Math.min(5, slot / 2.4));
  const radius = Math.max(1.2, Math.min(4.5, slot / 2.6));
  const needing = pupils.filter((each) => each.causes.length);
  if (pupils.length > MOST_MARKS) {
    const at = (each, x, y) => oneSpot(x(place.get(each.id)), y(each.ability));
    return [
      onePath(pupils, (each, x, y) => `M${x(place.get(each.id)).toFixed(1)},${y(each.low).toFixed(1)}V${y(each.high).toFixed(1)}`, { stroke: "var(--bar)", "stroke-width": bar }),
      onePath(pupils.filter((each) => !each.causes.length), at, { stroke: "var(--mark)", "stroke-width": 2 * radius }),
      onePath(needing, at, { stroke: "var(--warn)", "stroke-width": 2.6 * radius, "stroke-linecap": "square" }),
    ];
  }
  return [
    Plot.ruleX(pupils, { x: (each) => place.get(each.id), y1: "low", y2: "high", stroke: "var(--bar)", strokeWidth: bar, strokeLinecap: "round" }),
    Plot.dot(pupils, {
      x: (each) => place.get(each.id), y: "ability", r: radius,
      symbol: (each) => (each.causes.length ? "diamond" : "circle"), fill: (each) => (each.causes.length ? "var(--warn)" : "var(--mark)"), stroke: "var(--page)", strokeWidth: pupils.length > 120 ? 0 : 1,
    }),
  ];
}

const height = (width) => Math.round(Math.min(520, Math.max(400, width * 0.5)));

/** A label for each anchor; with many anchors one for each grade, at the mean of its anchors. */
function labelAnchors(anchors, most) {
  if (anchors.length <= MOST_ANCHOR_NAMES) return anchors.map((each) => ({ ability: each.ability, words: `${each.anchorGrade} · ${shorten(each.name, most)}` }));
  const grades = [...new Set(anchors.map((each) => each.anchorGrade))];
  return grades.map((grade) => {
    const own = anchors.filter((each) => each.anchorGrade === grade);
    return { ability: own.reduce((sum, each) => sum + each.ability, 0) / own.length, words: grade };
  });
}

/** Labels moved apart by at least so much, so that none covers another; they stay in order. */
function separate(entries, at, least) {
  const moved = [...entries].sort((left, right) => left[at] - right[at]).map((each) => ({ ...each, shownAt: each[at] }));
  for (let round = 0; round < 80; round += 1) {
    for (let index = 1; index < moved.length; index += 1) {
      const overlap = least - (moved[index].shownAt - moved[index - 1].shownAt);
      if (overlap > 0) {
        moved[index].shownAt += overlap / 2;
        moved[index - 1].shownAt -= overlap / 2;
      }
    }
  }
  return moved;
}

/** The probability of every grade of every pupil, the best first; bars across for a class, columns for many. */
export function drawProbabilities(result, essays, width) {
  const grades = result.grade_projections.grade_scale;
  const graded = essays.filter((each) => each.probabilities);
  const shades = gradeShades(grades);
  const rows = graded.flatMap((essay, index) => {
    let from = 0;
    return grades.map((grade) => {
      const share = essay.probabilities[grade] ?? 0;
      const part = { index, essay, grade, share, from, to: from + share };
      from += share;
      return part;
    });
  });
  const shown = rows.filter((each) => each.share > 0.002);
  const isList = graded.length <= 60;
  const color = { domain: grades, range: shades };
  if (isList) {
    const left = width < 520 ? 96 : 150;
    return plot(
      {
        width, height: graded.length * 24 + 56, marginLeft: left, marginTop: 44, marginBottom: 10, marginRight: 14, color,
        x: { domain: [0, 100], label: t("probabilities.axis"), axis: "top", labelOffset: 36, ticks: width < 520 ? 3 : 6 },
        y: { domain: graded.map((_, index) => index), tickFormat: (index) => shorten(graded[index].name, width < 520 ? 12 : 20), label: null, tickSize: 0, padding: 0.16 },
        marks: [
          Plot.barX(shown, { y: "index", x1: (each) => each.from * 100, x2: (each) => each.to * 100, fill: "grade", insetRight: 1, title: (each) => `${each.essay.name}: ${each.grade} ${percent(each.share)}` }),
          Plot.text(shown.filter((each) => each.share * (width - left) > 30), { y: "index", x: (each) => (each.from + each.to) * 50, text: "grade", fill: (each) => inkOn(grades, each.grade), fontSize: 11, fontWeight: 600 }),
          Plot.barX(shown.filter((each) => each.grade === each.essay.grade), { y: "index", x1: (each) => each.from * 100, x2: (each) => each.to * 100, fill: "none", stroke: "var(--ink)", strokeWidth: 2, insetRight: 1 }),
        ],
      },
      t("probabilities.label"),
    );
  }
  const closing = rows.slice(-grades.length).map((each) => ({ ...each, index: graded.length }));
  return plot(
    {
      width, height: 320, marginLeft: 44, marginBottom: 38, marginTop: 32, color,
      x: { label: t("probabilities.rank"), domain: [0, graded.length], tickFormat: whole },
      y: { domain: [0, 100], label: t("probabilities.axis") },
      // One area for each grade: thousands of bars would stand in the way of the first look.
      marks: [
        Plot.areaY([...rows, ...closing], { x: "index", y1: (each) => each.from * 100, y2: (each) => each.to * 100, z: "grade", fill: "grade", curve: "step-after", shapeRendering: "crispEdges" }),
        Plot.tip(graded, Plot.pointerX({ x: (_, index) => index + 0.5, y: 50, title: (each) => [each.name, ...grades.filter((grade) => each.probabilities[grade] > 0.002).map((grade) => `${grade} ${percent(each.probabilities[grade])}`)].join("\n"), fill: "var(--page)", stroke: "var(--line)" })),
      ],
    },
    t("probabilities.label"),
  );
}


/** Judges by their order effect and how well the fit foretells them. */
export function drawJudges(judges, width) {
  const shown = judges.filter((each) => each.infit !== null);
  const least = Math.min(1, ...shown.map((each) => each.orderEffect - Z90 * each.orderEffectSe));
  const most = Math.max(1, ...shown.map((each) => each.orderEffect + Z90 * each.orderEffectSe));
  const reach = Math.max(Math.abs(least), Math.abs(most));
  return plot(
    {
      width, height: shown.length * 34 + 58, marginLeft: width < 520 ? 110 : 190, marginRight: 20, marginTop: 46, marginBottom: 8,
      x: { domain: [-reach, reach], label: t("judges.orderAxis"), tickFormat: plain, axis: "top", labelOffset: 36, ticks: 5 },
      y: { domain: shown.map((each) => each.name), label: null, tickSize: 0, tickFormat: (name) => shorten(name, width < 520 ? 14 : 26) },
      marks: [
        Plot.ruleX([0], { stroke: "var(--line)" }),
        Plot.link(shown, { y1: "name", y2: "name", x1: (each) => each.orderEffect - Z90 * each.orderEffectSe, x2: (each) => each.orderEffect + Z90 * each.orderEffectSe, stroke: "var(--bar)", strokeWidth: 5, strokeLinecap: "round" }),
        Plot.dot(shown, { y: "name", x: "orderEffect", r: 5, symbol: (each) => (each.isPerson ? "circle" : "square"), fill: (each) => (each.isOdd ? "var(--warn)" : "var(--mark)"), stroke: "var(--page)" }),
      ],
    },
    t("judges.label"),
  );
}

/** Figures with their intervals, each on its own line, beside the value that means nothing. */
export function drawIntervals(entries, { neutral, axis, domain, label }, width) {
  return plot(
    {
      width, height: entries.length * 34 + 58, marginLeft: width < 520 ? 120 : 220, marginRight: 24, marginTop: 46, marginBottom: 8,
      x: { domain, label: axis, tickFormat: plain, axis: "top", labelOffset: 36, ticks: 5 },
      y: { domain: entries.map((each) => each.name), label: null, tickSize: 0, tickFormat: (name) => shorten(name, width < 520 ? 16 : 32) },
      marks: [
        Plot.ruleX([neutral], { stroke: "var(--band-line)", strokeDasharray: "4 3" }),
        Plot.link(entries.filter((each) => each.interval), { y1: "name", y2: "name", x1: (each) => each.interval[0], x2: (each) => each.interval[1], stroke: "var(--bar)", strokeWidth: 5, strokeLinecap: "round" }),
        Plot.dot(entries, { y: "name", x: "value", r: 5, fill: "var(--mark)", stroke: "var(--page)" }),
      ],
    },
    label,
  );
}

/** How often essays were compared; every pair by rank where the comparisons are at hand. */
export function drawCoverage(essays, comparisons, width) {
  const ranked = essays.filter((each) => each.rank !== null);
  if (comparisons?.length) {
    const rank = new Map(ranked.map((each) => [each.id, each.rank]));
    const pairs = comparisons
      .filter((each) => rank.has(each.first) && rank.has(each.second))
      .map((each) => {
        const [one, other] = [rank.get(each.first), rank.get(each.second)].sort((left, right) => left - right);
        return { one, other, isAudit: each.isAudit };
      });
    const size = Math.min(width, 520);
    return plot(
      {
        width: size, height: size, marginLeft: 46, marginBottom: 42, marginTop: 34,
        x: { label: t("coverage.better"), domain: [0, ranked.length + 1], tickFormat: whole },
        y: { label: t("coverage.other"), domain: [ranked.length + 1, 0], tickFormat: whole },
        marks: [
          Plot.line([[0, 0], [ranked.length + 1, ranked.length + 1]], { stroke: "var(--line)" }),
          ...drawPairs(pairs),
        ],
      },
      t("coverage.pairsLabel"),
    );
  }
  const most = Math.max(1, ...ranked.map((each) => each.nComparisons));
  const step = Math.max(1, Math.ceil(most / 24));
  return plot(
    {
      width, height: 230, marginLeft: 46, marginBottom: 40, marginTop: 32,
      x: { label: t("coverage.axis"), domain: [0, most + step], tickFormat: whole },
      y: { label: t("coverage.essays"), grid: true, tickFormat: whole },
      marks: [Plot.rectY(ranked, Plot.binX({ y: "count" }, { x: "nComparisons", thresholds: Array.from({ length: Math.floor(most / step) + 2 }, (_, index) => index * step), fill: "var(--mark)", inset: 1 })), Plot.ruleY([0], { stroke: "var(--line)" })],
    },
    t("coverage.label"),
  );
}

function drawPairs(pairs) {
  if (pairs.length <= MOST_MARKS) return [Plot.dot(pairs, { x: "one", y: "other", r: 2.6, fill: (each) => (each.isAudit ? "var(--warn)" : "var(--mark)"), fillOpacity: 0.7, symbol: (each) => (each.isAudit ? "diamond" : "circle") })];
  const size = pairs.length > 2000 ? 2 : 4;
  const at = (each, x, y) => oneSpot(x(each.one), y(each.other));
  return [
    onePath(pairs.filter((each) => !each.isAudit), at, { stroke: "var(--mark)", "stroke-width": size, "stroke-opacity": 0.7 }),
    onePath(pairs.filter((each) => each.isAudit), at, { stroke: "var(--warn)", "stroke-width": size + 1, "stroke-linecap": "square" }),
  ];
}

/** Precision wave by wave against its target. */
export function drawWaves(waves, target, width) {
  const scored = waves.filter((each) => each.standardised_se !== null && each.standardised_se !== undefined);
  return plot(
    {
      width, height: 250, marginLeft: 46, marginBottom: 40, marginTop: 32,
      x: { label: t("live.wave"), domain: [0.5, Math.max(3, ...waves.map((each) => each.wave)) + 0.5], ticks: waves.length < 12 ? waves.map((each) => each.wave) : 8, tickFormat: whole },
      y: { label: t("live.meanSe"), tickFormat: plain, domain: [0, Math.max(target ?? 0, ...scored.map((each) => each.standardised_se)) * 1.15], grid: true },
      marks: [
        ...(target ? [Plot.ruleY([target], { stroke: "var(--warn)", strokeDasharray: "5 4" }), Plot.text([target], { x: 0.55, y: (each) => each, text: () => t("live.target", { value: decimal(target) }), textAnchor: "start", dy: -8, fill: "var(--muted)" })] : []),
        Plot.line(scored, { x: "wave", y: "standardised_se", stroke: "var(--mark)", strokeWidth: 2 }),
        Plot.dot(scored, { x: "wave", y: "standardised_se", fill: "var(--mark)", r: 4 }),
      ],
    },
    t("live.label"),
  );
}

