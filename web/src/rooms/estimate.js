// What a batch will ask and cost, as far as can be said before it begins.
import prices from "../../../layers/service/assessment/domain/prices.json";
import tokens from "../../../layers/service/assessment/domain/token_estimates.json";

const USUAL_SPREAD = 1.8; // standard deviation of abilities in logits, see docs/statistics.md
const INFORMATION = 0.2; // of a comparison of two essays that are near each other

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

const countBytes = (text) => new TextEncoder().encode(text).length;

/** Comparisons, cost in US dollars (or null) and reliability, each from the least to the most. */
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
    cost: each === null ? null : comparisons.map((count, at) => count * each[at]),
    reliability: readings.map((count) => 1 - 1 / (1 + INFORMATION * worth * count * USUAL_SPREAD ** 2)),
  };
}
