// What a batch will ask and cost, as far as can be said before it begins.
import prices from "../../../layers/service/assessment/domain/prices.json";
import tokens from "../../../layers/service/assessment/domain/token_estimates.json";
import precision from "./precision_estimates.json";

export const MODELS = Object.fromEntries(Object.entries(prices).map(([provider, each]) => [provider, Object.keys(each.models ?? {})]));

/** What an essay's part of a list tells, in comparisons of two: 4 (k - H_k) / k, and 1 for a pair. */
function worthOfReading(k) {
  let harmonic = 0;
  for (let place = 1; place <= k; place += 1) harmonic += 1 / place;
  return (4 * (k - harmonic)) / k;
}

/** Bytes of a comparison's part of a call. Pairs share essays, of which a class of two or three has few. */
function countBytesOfComparison(bytesOfEssay, bytesOfTask, size, n) {
  const isPair = size === 2;
  const texts = isPair ? Math.max(tokens.texts_per_shared_comparison, 2 / Math.max(1, n - 1)) : size;
  const around = isPair ? tokens.bytes_around_shared_comparison : tokens.bytes_around_comparison;
  return texts * (bytesOfEssay + tokens.bytes_around_essay) + around + bytesOfTask / tokens.comparisons_per_call;
}

/** What a comparison costs in US dollars, the least and the most, by the figures of `cj plan`. */
function priceComparison(price, bytes, size) {
  return [0, 2].map((at) => {
    const answer = tokens.tokens_per_verdict[at] + (size - 2) * tokens.tokens_per_place[at];
    return ((bytes / tokens.bytes_per_token[at]) * price[0] + answer * price[1]) * 1e-6;
  });
}

/** Where a value lies in a grid by its logarithm: the cell's place, and the share of the way to the next. */
function findCell(grid, value) {
  const held = Math.min(Math.max(value, grid[0]), grid.at(-1));
  const at = Math.max(0, Math.min(grid.length - 2, grid.findLastIndex((each) => each <= held)));
  return [at, Math.log(held / grid[at]) / Math.log(grid[at + 1] / grid[at])];
}

/** The least, the expected and the most reliability of simulated batches (`python -m local.make_precision`), as `cj plan` has them. */
export function foretellReliability(n, comparisons) {
  const [row, down] = findCell(precision.n_essays, n);
  const [column, right] = findCell(precision.comparisons, comparisons);
  const table = precision.reliability;
  return [0, 1, 2].map((each) => {
    const [above, below] = [row, row + 1].map((at) => table[at][column][each] * (1 - right) + table[at][column + 1][each] * right);
    return above * (1 - down) + below * down;
  });
}

const countBytes = (text) => new TextEncoder().encode(text).length;

/** Comparisons and cost in US dollars (or null) from the least to the most; the reliability with what is expected between. */
export function estimateBatch({ texts, nAnchors, fewest, most, listSize = 2, provider, model, task = "" }) {
  const n = texts.length + nAnchors;
  const size = Math.min(listSize, Math.max(2, n));
  const worth = worthOfReading(size);
  const readings = [Math.min(fewest / worth, most), most];
  const comparisons = readings.map((each) => Math.ceil((n * each) / size));
  const bytes = texts.reduce((sum, each) => sum + countBytes(each.text), 0) / Math.max(1, texts.length);
  const price = prices[provider]?.models?.[model];
  const each = price ? priceComparison(price, countBytesOfComparison(bytes, countBytes(task), size, n), size) : null;
  return {
    comparisons,
    readings: comparisons.map((count) => count * size),
    cost: each === null ? null : comparisons.map((count, at) => count * each[at]),
    reliability: [foretellReliability(n, readings[0] * worth)[0], foretellReliability(n, ((readings[0] + most) / 2) * worth)[1], foretellReliability(n, most * worth)[2]],
  };
}
