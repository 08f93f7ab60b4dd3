// What a batch will ask and cost, as far as can be said before it begins.
import prices from "../../../layers/service/assessment/domain/prices.json";

const BYTES_PER_TOKEN = 3;
const TOKENS_AROUND = 350;
const TOKENS_OF_ANSWER = 100;
const USUAL_SPREAD = 1.8; // standard deviation of abilities in logits, see docs/statistics.md
const INFORMATION = 0.2; // of a comparison of two essays that are near each other

export const MODELS = Object.fromEntries(Object.entries(prices).map(([provider, each]) => [provider, Object.keys(each.models ?? {})]));

/** Comparisons, cost in US dollars (or null) and reliability, each from the least to the most. */
export function estimateBatch({ texts, nAnchors, fewest, most, provider, model }) {
  const n = texts.length + nAnchors;
  const comparisons = [fewest, most].map((each) => Math.ceil((n * each) / 2));
  const bytes = texts.reduce((sum, each) => sum + new TextEncoder().encode(each.text).length, 0) / Math.max(1, texts.length);
  const price = prices[provider]?.models?.[model];
  const each = price ? ((2 * bytes) / BYTES_PER_TOKEN + TOKENS_AROUND) * price[0] * 1e-6 + TOKENS_OF_ANSWER * price[1] * 1e-6 : null;
  return {
    comparisons,
    cost: each === null ? null : comparisons.map((count) => count * each),
    reliability: [fewest, most].map((count) => 1 - 1 / (1 + INFORMATION * count * USUAL_SPREAD ** 2)),
  };
}
