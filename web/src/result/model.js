// The result document as the pages read it: one entry for each essay, and findings in figures.

export const Z90 = 1.6448536269514722;
const Z95 = 1.959963984540054;

/**
 * The interval that holds an ability with 90% probability. A result has the 95% one, which reaches
 * further out than in; each of its sides is shortened as that of a Normal. Older results have none.
 */
function findInterval({ bradley_terry_score: ability, bradley_terry_se: se, bradley_terry_interval: published }) {
  return published ? published.map((end) => ability + ((end - ability) * Z90) / Z95) : [ability - Z90 * se, ability + Z90 * se];
}

/** One entry for each essay, students and anchors, the best first; those without a place at the end. */
export function readEssays(result, attention = []) {
  const grades = result.grade_projections;
  // Where nobody asked for grades, that an essay has none is no reason to look at it.
  const isAsked = result.n_anchors > 0;
  const listed = attention.map((each) => ({ ...each, causes: each.causes.filter((cause) => isAsked || cause.reason !== "abstained") })).filter((each) => each.causes.length);
  const causes = new Map(listed.map((each) => [each.essay_id, each.causes]));
  const ranked = result.rankings.map((ranking) => { const [low, high] = findInterval(ranking); return {
    id: ranking.essay_id,
    name: ranking.is_anchor ? nameAnchor(ranking, grades) : ranking.essay_id,
    isAnchor: ranking.is_anchor,
    anchorGrade: ranking.anchor_grade,
    rank: ranking.rank,
    rankInterval: ranking.rank_interval,
    ability: ranking.bradley_terry_score,
    se: ranking.bradley_terry_se,
    low,
    high,
    interval: ranking.bradley_terry_interval ?? null,
    nComparisons: ranking.comparison_count,
    infit: ranking.infit,
    outfit: ranking.outfit,
    flags: result.essay_flags?.[ranking.essay_id] ?? [],
    grade: grades.primary_grades?.[ranking.essay_id] ?? null,
    probabilities: grades.grade_probabilities?.[ranking.essay_id] ?? null,
    set: grades.calibrated_sets?.[ranking.essay_id] ?? grades.grade_sets?.[ranking.essay_id] ?? [],
    confidence: grades.confidence_labels?.[ranking.essay_id] ?? null,
    further: grades.further_comparisons?.[ranking.essay_id],
    causes: causes.get(ranking.essay_id) ?? [],
  }; });
  ranked.sort((left, right) => left.rank - right.rank);
  const known = new Set(ranked.map((essay) => essay.id));
  const unranked = listed
    .filter((each) => !known.has(each.essay_id))
    .map((each) => ({
      id: each.essay_id, name: each.essay_id, isAnchor: false, rank: null, rankInterval: null, ability: null, se: null,
      nComparisons: 0, flags: result.essay_flags?.[each.essay_id] ?? [], grade: null, probabilities: null, set: [],
      confidence: null, causes: each.causes,
    }));
  const order = new Map(listed.map((each, index) => [each.essay_id, index]));
  const all = [...ranked, ...unranked];
  for (const essay of all) essay.urgency = order.get(essay.id) ?? Infinity;
  return all;
}

function nameAnchor(ranking, grades) {
  const found = grades.calibration_info?.anchors?.find((each) => each.essay_id === ranking.essay_id);
  return found?.anchor_ref ?? ranking.essay_id.replace(/^ANCHOR_/, "").replace(/_[0-9a-f]{8}$/, "");
}

/** The boundaries between grades from the lowest to the highest: {low, high, at, se}. */
export function readBoundaries(result) {
  const info = result.grade_projections.calibration_info;
  if (!info) return [];
  return Object.entries(info.boundaries)
    .map(([pair, at]) => {
      const cut = pair.lastIndexOf("|");
      return { low: pair.slice(0, cut), high: pair.slice(cut + 1), at, se: info.boundary_se[pair] ?? 0 };
    })
    .sort((left, right) => left.at - right.at);
}

/** Comparisons of a report as objects; `outcome` is +k for the first essay by degree k, 0 for a tie. */
export function readComparisons(packed) {
  if (!packed) return null;
  return packed.rows.map(([first, second, judge, outcome, wave, isAudit, seconds, reason]) => ({
    first: packed.essays[first],
    second: packed.essays[second],
    judge: packed.judges[judge],
    outcome,
    wave,
    isAudit: Boolean(isAudit),
    seconds,
    reason,
  }));
}

const logistic = (value) => 1 / (1 + Math.exp(-value));

/** Verdicts that the abilities make least likely, the least likely first. */
export function findSurprises(comparisons, essays, n = 20) {
  const abilities = new Map(essays.filter((each) => each.ability !== null).map((each) => [each.id, each]));
  return comparisons
    .filter((each) => each.outcome && abilities.has(each.first) && abilities.has(each.second))
    .map((each) => {
      const difference = abilities.get(each.first).ability - abilities.get(each.second).ability;
      return { ...each, chance: logistic(each.outcome > 0 ? difference : -difference) };
    })
    .filter((each) => each.chance < 0.25)
    .sort((left, right) => left.chance - right.chance)
    .slice(0, n);
}

/** A judge as a teacher knows it: a person by name, a model by its own. */
export const nameJudge = (judge, names = {}) => names[judge] ?? (judge.startsWith("person/") && !judge.startsWith("person/invited:") ? judge.slice("person/".length) : judge);

/** Whether a judge is one of the people. */
export function isPerson(judge) {
  return judge === "person" || judge.startsWith("person/");
}

export function median(values) {
  const sorted = values.filter((each) => each !== null && each !== undefined).sort((left, right) => left - right);
  if (!sorted.length) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The boundary nearest to an essay, how far it is, and how far both may be out together with 90% probability. */
export function nearestBoundary(essay, boundaries) {
  if (essay.ability === null || !boundaries.length) return null;
  const [nearest] = boundaries
    .map((each) => ({ ...each, distance: each.at - essay.ability }))
    .sort((left, right) => Math.abs(left.distance) - Math.abs(right.distance));
  const side = nearest.distance > 0 ? essay.high - essay.ability : essay.ability - essay.low;
  return { ...nearest, spread: Math.hypot(Z90 * nearest.se, side) };
}

/** Essays on either side in the order, the nearest first. */
export function findNeighbours(essay, essays, n = 3) {
  const ranked = essays.filter((each) => each.ability !== null);
  const at = ranked.findIndex((each) => each.id === essay.id);
  if (at < 0) return [];
  return [...ranked.slice(Math.max(0, at - n), at), ...ranked.slice(at + 1, at + 1 + n)];
}
