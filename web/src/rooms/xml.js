// Parts of office documents.
import { UnreadableFile } from "./unreadable.js";

/** The root of a part. */
export function parseXml(bytes) {
  const parsed = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "application/xml");
  if (parsed.querySelector("parsererror")) throw new UnreadableFile("damaged");
  return parsed.documentElement;
}

/** The first child of this name; null without one, or without a parent. */
export const child = (parent, space, name) => [...(parent?.children ?? [])].find((each) => each.namespaceURI === space && each.localName === name) ?? null;
