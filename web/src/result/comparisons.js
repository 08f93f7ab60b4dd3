// Comparisons as the API has them: pairs, and lists that rank several essays in one call.

const LEVELS = { slight: 1, clear: 2, decisive: 3 };
const SIGNS = { tie: "=", slight: ">", clear: ">>", decisive: ">>>" };
const SIDES = { first: 1, second: -1, tie: 0 };

const isList = (verdict) => Boolean(verdict.ranking);

/** By how much each essay of a list is better than the next: a degree, "tie", or null where it was not said. */
function readGaps({ ranking, gaps, scores }) {
  return ranking.slice(1).map((_, at) => (gaps ? gaps[at] : scores && scores[at] === scores[at + 1] ? "tie" : null));
}

/** Comparisons in the form that a report carries: what has a verdict, essays and judges by their places. */
export function packComparisons(comparisons) {
  const judged = comparisons.filter((each) => each.verdict);
  const [pairs, lists] = [judged.filter((each) => !isList(each.verdict)), judged.filter((each) => isList(each.verdict))];
  const essays = number([...pairs.flatMap((each) => [each.first, each.second]), ...lists.flatMap((each) => each.verdict.ranking)]);
  const judges = number(judged.map((each) => each.verdict.judge));
  return {
    essays: [...essays.keys()], judges: [...judges.keys()],
    rows: pairs.map(({ first, second, wave, audit, verdict }) => [
      essays.get(first), essays.get(second), judges.get(verdict.judge), SIDES[verdict.winner] * (LEVELS[verdict.degree] ?? 1),
      wave, audit ? 1 : 0, verdict.decision_seconds, verdict.justification,
    ]),
    lists: lists.map(({ wave, audit, verdict }) => [
      verdict.ranking.map((each) => essays.get(each)), readGaps(verdict).map((gap) => SIGNS[gap] ?? ">?"),
      judges.get(verdict.judge), wave, audit ? 1 : 0, verdict.justification,
    ]),
  };
}

const number = (names) => new Map([...new Set(names)].map((each, place) => [each, place]));

/** What one essay came to against every other that it was judged with: {other, outcome, degree, judge, reason}. */
export function listOutcomes(essayId, comparisons) {
  return comparisons.filter((each) => each.verdict).flatMap((each) => (isList(each.verdict) ? readPlaces(essayId, each.verdict) : readPair(essayId, each)));
}

function readPair(essayId, { first, second, verdict }) {
  if (first !== essayId && second !== essayId) return [];
  const isFirst = first === essayId;
  const outcome = verdict.winner === "tie" ? "tie" : (verdict.winner === "first") === isFirst ? "won" : "lost";
  return [{ other: isFirst ? second : first, outcome, degree: verdict.degree, judge: verdict.judge, reason: verdict.justification, letter: isFirst ? "A" : "B" }];
}

/** In a list the degree is that of neighbours; over more steps nobody said one. */
function readPlaces(essayId, verdict) {
  const own = verdict.ranking.indexOf(essayId);
  if (own < 0) return [];
  const gaps = readGaps(verdict);
  return verdict.ranking.flatMap((other, at) => {
    if (at === own) return [];
    const steps = gaps.slice(Math.min(at, own), Math.max(at, own));
    const isTie = steps.every((each) => each === "tie");
    const degree = steps.length === 1 && !isTie ? steps[0] : null;
    return [{ other, outcome: isTie ? "tie" : at > own ? "won" : "lost", degree, judge: verdict.judge, reason: verdict.justification, place: own + 1, n: verdict.ranking.length }];
  });
}

/** How each judge has judged so far, who judged most first. Which text was shown first tells something in pairs only. */
export function summariseJudges(comparisons) {
  const judges = new Map();
  for (const { verdict } of comparisons) {
    if (!verdict) continue;
    if (!judges.has(verdict.judge)) judges.set(verdict.judge, []);
    judges.get(verdict.judge).push(verdict);
  }
  return [...judges].map(([judge, verdicts]) => {
    const pairs = verdicts.filter((each) => !isList(each));
    const preferring = pairs.filter((each) => each.winner !== "tie");
    return {
      judge, n: verdicts.length, ties: pairs.length - preferring.length,
      first: preferring.length ? preferring.filter((each) => each.winner === "first").length / preferring.length : null,
      seconds: pairs.map((each) => each.decision_seconds),
    };
  }).sort((left, right) => right.n - left.n);
}
